"""Jigsaw (Noroozi and Favaro, 2016, "Unsupervised Learning of Visual Representations by Solving Jigsaw Puzzles").

l = -log softmax(F(f(t_1), ..., f(t_9)))_p,   t the nine tiles of a picture in the order of permutation p

p is drawn from a set of permutations that differ from each other in as many places as can be. Tiles are cut with a gap
between them, so that edges that go on do not give the order away.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import count, permutations
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.backbones.backbone import Backbone
from headstart.checks import between
from headstart.preprocessing.spec import PicturePreprocess
from headstart.pretraining.objective import Encoded, Learner, Objective
from headstart.pretraining.variation import Variation
from headstart.pretraining.views import Views
from headstart.tasks.task import Array

__all__ = ["Jigsaw", "Tiles", "far_apart"]

_GRID = 3
_TILES = _GRID**2
_SHOWN = 0.85
"""The share of a cell's side that a tile shows."""

_SMALLEST = 16
_POOL = 4000


@dataclass(frozen=True, kw_only=True)
class Jigsaw(Objective):
    """orders   how many permutations there are to choose from
    hidden   of the layer that sees all tiles
    """

    orders: int = 64
    hidden: int = 512
    advice: ClassVar[str] = "--method simclr, since your pictures may have no parts in an order"

    def __post_init__(self) -> None:
        between("orders", self.orders, 2, 1000)
        between("hidden", self.hidden, 1)

    def views(self, backbone: Backbone, variation: Variation) -> Views:
        """ValueError where the tiles would be too small to show anything."""
        preprocess = backbone.preprocess
        side = min(preprocess.size) if isinstance(preprocess, PicturePreprocess) else 0
        tile = _tile_of(side)
        if tile < _SMALLEST:
            least = next(size for size in count(side) if _tile_of(size) >= _SMALLEST)
            raise ValueError(
                f"pictures of {side} pixels are too small to cut: their {_TILES} tiles would have {tile} pixels, "
                f"expected {_SMALLEST} or more; give --option size={least} or more, or --method rotation"
            )
        return Tiles(variation, far_apart(self.orders), side // _GRID, tile)

    def learner(self, encoder: nn.Module, dim: int) -> Learner:
        return _Order(dim, self.hidden, self.orders)


@dataclass(frozen=True)
class Tiles:
    """The tiles of a view, and the number of their order.

    orders   (P, 9)     cell, tile   sides, in pixels
    """

    variation: Variation
    orders: Array
    cell: int
    tile: int

    def __call__(self, picture: Tensor, rng: np.random.Generator) -> tuple[Tensor, Array | None]:
        """uint8 (9, 3, tile, tile), and int64 (1,)."""
        view = self.variation(picture, rng)
        tiles = []
        for place in range(_TILES):
            down, right = (int(rng.integers(0, self.cell - self.tile + 1)) for _ in range(2))
            top, left = place // _GRID * self.cell + down, place % _GRID * self.cell + right
            tiles.append(view[:, top : top + self.tile, left : left + self.tile])
        number = int(rng.integers(len(self.orders)))
        return torch.stack([tiles[place] for place in self.orders[number]]), np.array([number])


class _Order(Learner):
    def __init__(self, dim: int, hidden: int, orders: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(_TILES * dim, hidden), nn.ReLU(), nn.Linear(hidden, orders))

    def forward(self, rows: Encoded) -> Tensor:
        return functional.cross_entropy(self.layers(rows.features.float().flatten(1)), rows.inputs[1][:, 0])


def _tile_of(side: int) -> int:
    """The side of a tile of pictures of this side."""
    return round(_SHOWN * (side // _GRID))


@cache
def far_apart(number: int) -> Array:
    """(number, 9) permutations: each next one differs most from the nearest of those before it, among some thousands
    that are drawn (algorithm 1 of the paper, by the least distance)."""
    every = np.array(list(permutations(range(_TILES))), np.int64)
    pool = every[np.random.default_rng(0).choice(len(every), _POOL, replace=False)]
    orders = [pool[0]]
    nearest = (pool != orders[0]).sum(1)
    while len(orders) < number:
        orders.append(pool[int(nearest.argmax())])
        nearest = np.minimum(nearest, (pool != orders[-1]).sum(1))
    return np.stack(orders)
