"""The hand-made description of pictures, against loops over pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headstart.preprocessing.descriptors import describe, is_description, scale_of

Array = np.ndarray[Any, Any]
PIXELS, COLOURS, COARSE = slice(0, 192), slice(192, 256), slice(256, 580)


@pytest.fixture(scope="module")
def thumbs() -> Array:
    return np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)


def test_pixels_and_colours(thumbs: Array) -> None:
    found = describe(thumbs)
    assert found.shape == (5, 2344)
    assert found.dtype == np.float32
    first = thumbs[0].astype(float) / 255
    pixels = [first[i : i + 4, j : j + 4].mean(axis=(0, 1)) for i in range(0, 32, 4) for j in range(0, 32, 4)]
    assert found[0, PIXELS] == pytest.approx(np.concatenate(pixels), rel=1e-5)
    cells = np.zeros((4, 4, 4))
    for red, green, blue in thumbs[0].reshape(-1, 3) // 64:
        cells[red, green, blue] += 1
    assert found[0, COLOURS] == pytest.approx(np.sqrt(cells.ravel() / 1024), rel=1e-5)


def test_edges_pixel_by_pixel(thumbs: Array) -> None:
    picture = thumbs[0].astype(np.float32) / 255
    histogram = np.zeros((4, 4, 9))
    for i in range(32):
        for j in range(32):
            down = picture[i + 1, j] - picture[i - 1, j] if 0 < i < 31 else np.zeros(3)
            right = picture[i, j + 1] - picture[i, j - 1] if 0 < j < 31 else np.zeros(3)
            channel = int(np.argmax(down**2 + right**2))
            angle = np.arctan2(down[channel], right[channel]) / (2 * np.pi) % 1 * 9
            share, lower = angle % 1, int(angle) % 9
            length = np.hypot(down[channel], right[channel])
            histogram[i // 8, j // 8, lower] += length * (1 - share)
            histogram[i // 8, j // 8, (lower + 1) % 9] += length * share
    expected = []
    for i in range(3):
        for j in range(3):
            block = np.concatenate([histogram[i + di, j + dj] for di in (0, 1) for dj in (0, 1)])
            for limit in (0.2, np.inf):
                block = np.minimum(block / np.sqrt(block @ block + 0.01), limit)
            expected.append(block)
    assert describe(thumbs)[0, COARSE] == pytest.approx(np.concatenate(expected), rel=1e-3, abs=1e-5)


def test_the_scale_gives_each_part_the_same_weight(thumbs: Array) -> None:
    scaled = scale_of(describe(thumbs))(describe(thumbs))
    assert scaled.mean(axis=0) == pytest.approx(np.zeros(2344), abs=1e-4)
    assert scaled.var(axis=0).sum() == pytest.approx(1.0, rel=1e-3)
    assert scaled[:, PIXELS].var(axis=0).sum() == pytest.approx(0.25, rel=1e-3)


def test_flat_pictures_and_none(thumbs: Array) -> None:
    flat = np.full((3, 32, 32, 3), 7, np.uint8)
    assert np.isfinite(scale_of(describe(flat))(describe(flat))).all()
    assert describe(thumbs[:0]).shape == (0, 2344)


def test_blocks_change_nothing(thumbs: Array) -> None:
    many = np.tile(thumbs, (120, 1, 1, 1))
    assert (describe(many) == np.tile(describe(thumbs), (120, 1))).all()


def test_a_picture_is_described_by_itself(thumbs: Array) -> None:
    assert (describe(thumbs) == np.concatenate([describe(thumbs[i : i + 1]) for i in range(len(thumbs))])).all()
    assert is_description(describe(thumbs))
    assert not is_description(thumbs)


@pytest.mark.parametrize("wrong", [np.zeros((2, 32, 32, 3)), np.zeros((2, 16, 16, 3), np.uint8)])
def test_other_pictures_are_refused(wrong: Array) -> None:
    with pytest.raises(ValueError, match=r"thumbs: expected \(N, 32, 32, 3\) uint8, got"):
        describe(wrong)
