"""Small networks to train from nothing: four blocks of convolutions for pictures, two layers for rows of numbers.

    conv4   four times: 3 x 3 convolution of 64 filters, norm, ReLU, 2 x 2 maximum (Vinyals et al., 2016)
    rows    two layers of 40 with ReLU (Finn et al., 2017, section 5.1)

The norm is over groups of channels (Wu and He, 2018): a row's answer does not depend on the rows beside it.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from headstart.backbones.parts import Parts
from headstart.backbones.randomness import seeded
from headstart.errors import BackboneError
from headstart.preprocessing.numbers import NumberPreprocess
from headstart.preprocessing.spec import PicturePreprocess

__all__ = ["ABOUT", "KEYS", "build", "from_name", "of_rows"]

KEYS = ("network", "sizes")
ABOUT = "small:conv4 or small:conv4-64 (pixels a side), pictures, a small network with random weights"
_NAME = re.compile(r"conv4(?:-(\d{2,3}))?")
_SIDE, _FILTERS, _HIDDEN = 28, 64, (40, 40)


class Conv4(nn.Module):
    """(N, 3, side, side) -> (N, filters (side // 16)^2)."""

    def __init__(self, filters: int) -> None:
        super().__init__()
        blocks = [_block(3 if place == 0 else filters, filters) for place in range(4)]
        self.blocks = nn.Sequential(*blocks)

    def forward(self, pixels: Tensor) -> Tensor:
        return torch.flatten(self.blocks(pixels), 1)


class Rows(nn.Module):
    """(N, columns) -> (N, hidden[-1])."""

    def __init__(self, columns: int, hidden: list[int]) -> None:
        super().__init__()
        widths = [columns, *hidden]
        layers = [nn.Sequential(nn.Linear(a, b), nn.ReLU()) for a, b in pairwise(widths)]
        self.layers = nn.Sequential(*layers)

    def forward(self, rows: Tensor) -> Tensor:
        features: Tensor = self.layers(rows)
        return features


def build(spec: dict[str, Any]) -> nn.Module:
    """The network of {"hub": "small", "network", "sizes"}: of conv4 its filters, of rows the columns and each width."""
    sizes = spec["sizes"]
    if spec["network"] == "conv4":
        (filters,) = sizes
        return Conv4(filters)
    if spec["network"] == "rows":
        return Rows(sizes[0], sizes[1:])
    raise ValueError(f"network {spec['network']!r}: expected conv4 or rows")


def from_name(name: str) -> Parts:
    """conv4, or conv4-SIDE with the pixels of a side."""
    match = _NAME.fullmatch(name)
    side = int(match[1] or _SIDE) if match else 0
    if side < 16:
        raise BackboneError(f"small:{name}: expected {ABOUT}; a side has 16 to 999 pixels.")
    half = (0.5, 0.5, 0.5)
    preprocess = PicturePreprocess(size=(side, side), resize=side, interpolation="bilinear", mean=half, std=half)
    return _drawn(f"small:{name}", {"hub": "small", "network": "conv4", "sizes": [_FILTERS]}, preprocess)


def of_rows(preprocess: NumberPreprocess) -> Parts:
    """Of rows of numbers that are prepared so."""
    sizes = [len(preprocess.mean), *_HIDDEN]
    return _drawn("small:rows", {"hub": "small", "network": "rows", "sizes": sizes}, preprocess)


def _drawn(name: str, spec: dict[str, Any], preprocess: Any) -> Parts:
    with seeded(0):
        module = build(spec)
    return Parts(f"{name}?weights=random&seed=0", spec, module, preprocess, "Apache-2.0")


def _block(before: int, filters: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, filters, 3, padding=1), nn.GroupNorm(8, filters), nn.ReLU(), nn.MaxPool2d(2))
