"""From a decoded picture to a backbone's input, and to the thumbnail that duplicates and baselines look at.

The plain form is torchvision's: v2 resize with antialias, centre crop, scale to [0, 1], (x - mean) / std. Up to the
crop the result is uint8 and equal to that bit for bit; the engines do the rest, inside their own forward pass.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from headstart.preprocessing.resize import Interpolation, centre_crop, resize

if TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = ["LONG", "RECIPE", "THUMB", "Pixels", "normalise", "prepare", "thumbnail"]

Pixels = npt.NDArray[np.uint8]
THUMB = 32
RECIPE = 1
"""Raised by whoever changes what pixels come out of decoding and preparing: the cache keeps them apart."""

LONG = 40


class Framing(Protocol):
    """What of a preprocessing says how a picture is resized, cropped and scaled: see `spec.PicturePreprocess`."""

    @property
    def size(self) -> tuple[int, int]: ...

    @property
    def resize(self) -> int: ...

    @property
    def interpolation(self) -> Interpolation: ...

    @property
    def mean(self) -> tuple[float, float, float]: ...

    @property
    def std(self) -> tuple[float, float, float]: ...

    @property
    def squash(self) -> bool: ...


def prepare(picture: Tensor, preprocess: Framing) -> Pixels:
    """uint8 (3, H, W) -> uint8 (size[0], size[1], 3): resized and cropped, not yet normalised."""
    picture = picture if preprocess.squash else _centre_of_strip(picture, preprocess)
    target = preprocess.size if preprocess.squash else _shorter_to(preprocess.resize, picture.shape[1:])
    return _pixels(centre_crop(resize(picture, target, preprocess.interpolation), preprocess.size))


def thumbnail(picture: Tensor) -> Pixels:
    """uint8 (3, H, W) -> uint8 (32, 32, 3), without regard to the aspect ratio."""
    return _pixels(resize(picture, (THUMB, THUMB)))


def normalise(pixels: Tensor, preprocess: Framing) -> Tensor:
    """uint8 (N, H, W, 3) -> float32 (N, 3, H, W), channels last in memory: (pixels / 255 - mean) / std."""
    import torch

    count, height, width, channels = pixels.shape
    scales, shifts = _scales(tuple(preprocess.mean), tuple(preprocess.std), width, pixels.device)
    rows = pixels.reshape(count * height, width * channels).to(torch.float32)
    flat = torch.addcmul(shifts, rows, scales)
    return flat.reshape(count, height, width, channels).permute(0, 3, 1, 2)


@lru_cache(maxsize=64)
def _scales(mean: tuple[float, ...], std: tuple[float, ...], width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """What a row of pixels is multiplied by, and what is added, float32 (3 width,) each: all of it at once, since the
    broadcast over three channels alone is not vectorised; and made once, since a GPU waits for what is brought to it
    from memory that is not page-locked.
    """
    import torch

    with torch.inference_mode(False):
        scale = 1 / (255 * torch.tensor(std, dtype=torch.float64))
        shift = -torch.tensor(mean, dtype=torch.float64) / torch.tensor(std, dtype=torch.float64)
        rows = (scale.float().repeat(width), shift.float().repeat(width))
        return rows[0].to(device), rows[1].to(device)


def _centre_of_strip(picture: Tensor, preprocess: Framing) -> Tensor:
    """The part that the crop needs, where the picture is so long that resizing all of it would take much memory."""
    height, width = picture.shape[1:]
    shorter, longer = sorted((height, width))
    if longer <= LONG * shorter:
        return picture
    reduction = shorter / preprocess.resize
    reach = math.ceil(2 * max(1.0, reduction)) + 2
    need = math.ceil(max(preprocess.size) * reduction) + 2 * reach
    need += (longer - need) % 2
    start = (longer - need) // 2
    return picture if need >= longer else picture.narrow(2 if width > height else 1, start, need)


def _shorter_to(length: int, shape: torch.Size) -> tuple[int, int]:
    """torchvision's rule: the shorter side becomes `length`, the longer keeps the ratio, rounded down."""
    height, width = shape
    if height <= width:
        return length, int(length * width / height)
    return int(length * height / width), length


def _pixels(picture: Tensor) -> Pixels:
    return np.ascontiguousarray(picture.permute(1, 2, 0).numpy())
