"""Resizing and cropping of pictures on a CPU, bit for bit as torchvision's `transforms.v2` does it.

Importing torchvision brings torch's compiler, which takes longer than the answer for a picture.
"""

from __future__ import annotations

import platform
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Interpolation", "centre_crop", "resize"]

Interpolation = Literal["bilinear", "bicubic"]


def resize(picture: Tensor, size: tuple[int, int], interpolation: Interpolation = "bilinear") -> Tensor:
    """uint8 (C, H, W) -> uint8 (C, *size), with antialias."""
    from torch.nn import functional

    if picture.shape[1:] == size:
        return picture
    whole = interpolation == "bicubic" or _interpolates_whole_numbers()
    batch = _channels_last(picture) if whole else _channels_last(picture).float()
    batch = functional.interpolate(batch, size, mode=interpolation, align_corners=False, antialias=True)
    return (batch if whole else batch.round_().to(picture.dtype))[0]


def centre_crop(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """uint8 (C, H, W) -> uint8 (C, *size); what is smaller is padded with black."""
    from torch.nn import functional

    pads: list[int] = []
    for old, new in zip(reversed(picture.shape[1:]), reversed(size), strict=True):
        lacking = max(0, new - old)
        pads += [lacking // 2, lacking - lacking // 2]
    if any(pads):
        picture = functional.pad(picture, pads)
    top, left = (round((old - new) / 2) for old, new in zip(picture.shape[1:], size, strict=True))
    return picture[:, top : top + size[0], left : left + size[1]]


def _channels_last(picture: Tensor) -> Tensor:
    """(1, C, H, W). Where pixels come before channels the stride of the one row says so: torch takes a batch of one for
    the other order, and copies it twice."""
    import torch

    batch = picture[None]
    if batch.is_contiguous(memory_format=torch.channels_last):
        return batch.as_strided(batch.shape, (batch.numel(), *picture.stride()))
    return batch


@cache
def _interpolates_whole_numbers() -> bool:
    """Whether torch has a kernel for bilinear interpolation of uint8 on this processor."""
    import torch

    vectors = torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")
    return vectors or platform.machine() in ("aarch64", "arm64")
