"""What pictures look like without any learning: pixels, colours and edges of a 32 x 32 thumbnail.

    pixels     8 x 8 means of the colours (192)
    colours    share of pixels in each cell of a 4 x 4 x 4 colour cube, square-rooted (64): the Hellinger distance
    edges      histograms of oriented gradients (Dalal and Triggs, 2005): 8 x 8 cells of signed orientation (324) and
               4 x 4 cells of unsigned orientation (1764), the strongest colour channel's gradient at each pixel,
               blocks of 2 x 2 cells of unit length, clipped at .2

Each part is centred and scaled to one unit of total variance, so that no part outweighs another by its size. A picture
is described by itself, whatever others are described beside it; only the scale is learnt from some of them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from headstart.tasks.task import Array

__all__ = ["WIDTH", "Scale", "describe", "is_description", "scale_of"]

_SIDE = 32
_BINS = 9
_SMALL = 0.1
_BLOCK = 512
_WIDTHS = (192, 64, 324, 1764)
WIDTH = sum(_WIDTHS)


class Scale(NamedTuple):
    """What to take from a description and what to divide it by, (D,) and (D,)."""

    mean: Array
    deviation: Array

    def __call__(self, described: Array) -> Array:
        """(N, D) float32 of a description (N, D)."""
        return np.asarray((described - self.mean) / self.deviation, np.float32)


def describe(thumbs: Array) -> Array:
    """(N, 32, 32, 3) uint8 -> (N, 2344) float32, a block of pictures at a time. Raises `ValueError` for other input."""
    if thumbs.dtype != np.uint8 or thumbs.shape[1:] != (_SIDE, _SIDE, 3):
        raise ValueError(f"thumbs: expected (N, 32, 32, 3) uint8, got {thumbs.shape} {thumbs.dtype}")
    starts = range(0, max(1, len(thumbs)), _BLOCK)
    return np.concatenate([np.concatenate(_parts(thumbs[at : at + _BLOCK]), axis=1) for at in starts])


def is_description(inputs: Array) -> bool:
    """Whether these are descriptions (N, 2344) float32, not the thumbnails themselves."""
    return inputs.dtype == np.float32 and inputs.shape[1:] == (WIDTH,)


def scale_of(described: Array) -> Scale:
    """The scale that these descriptions (N, 2344) set."""
    variance = [part.var(axis=0).sum() for part in np.split(described, np.cumsum(_WIDTHS)[:-1], axis=1)]
    deviation = np.sqrt(np.maximum(variance, 1e-9) * len(_WIDTHS))
    return Scale(described.mean(axis=0), np.repeat(deviation, _WIDTHS).astype(np.float32))


def _parts(thumbs: Array) -> list[Array]:
    slope, angle = _gradients(thumbs)
    return [
        _pixels(thumbs),
        _colours(thumbs),
        _edges(slope, angle / (2 * np.pi), cell=8),
        _edges(slope, angle / np.pi, cell=4),
    ]


def _pixels(thumbs: Array) -> Array:
    return np.asarray(thumbs.reshape(-1, 8, 4, 8, 4, 3).mean(axis=(2, 4), dtype=np.float32).reshape(-1, 192) / 255)


def _colours(thumbs: Array) -> Array:
    level = (thumbs >> 6).astype(np.int64).reshape(-1, _SIDE * _SIDE, 3)
    cell = level @ np.array([16, 4, 1]) + 64 * np.arange(len(thumbs))[:, None]
    counts = np.bincount(cell.ravel(), minlength=64 * len(thumbs)).reshape(-1, 64)
    return np.asarray(np.sqrt(counts / (_SIDE * _SIDE)), dtype=np.float32)


def _gradients(thumbs: Array) -> tuple[Array, Array]:
    """(N, 32, 32) steepness and direction (radians) of the steepest colour channel, by central differences."""
    picture = thumbs.astype(np.float32) / 255
    down, right = np.zeros_like(picture), np.zeros_like(picture)
    down[:, 1:-1] = picture[:, 2:] - picture[:, :-2]
    right[:, :, 1:-1] = picture[:, :, 2:] - picture[:, :, :-2]
    steepest = (down**2 + right**2).argmax(axis=-1)[..., None]
    down, right = (np.take_along_axis(slope, steepest, axis=-1)[..., 0] for slope in (down, right))
    return np.hypot(down, right), np.arctan2(down, right)


def _edges(slope: Array, turns: Array, *, cell: int) -> Array:
    """Histograms of direction; `turns` (N, 32, 32) counts periods. Each pixel goes to the two nearest of 9 bins."""
    count, cells = len(slope), _SIDE // cell
    position = (turns % 1.0) * _BINS
    lower = position.astype(np.int64) % _BINS
    upper_share = position - np.floor(position)
    place = np.arange(_SIDE) // cell
    base = (np.arange(count)[:, None, None] * cells + place[:, None]) * cells + place
    histogram = np.zeros(count * cells * cells * _BINS)
    for bins, share in ((lower, 1 - upper_share), ((lower + 1) % _BINS, upper_share)):
        histogram += np.bincount((base * _BINS + bins).ravel(), (slope * share).ravel(), histogram.size)
    grid = histogram.reshape(count, cells, cells, _BINS)
    corners = [grid[:, i : cells - 1 + i, j : cells - 1 + j] for i in (0, 1) for j in (0, 1)]
    blocks = np.concatenate(corners, axis=-1)
    flat = _unit(np.minimum(_unit(blocks), 0.2)).reshape(count, (cells - 1) ** 2 * 4 * _BINS)
    return np.asarray(flat, dtype=np.float32)


def _unit(blocks: Array) -> Array:
    return np.asarray(blocks / np.sqrt((blocks**2).sum(axis=-1, keepdims=True) + _SMALL**2))
