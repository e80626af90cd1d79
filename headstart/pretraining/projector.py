"""A projector: layers between features and what an objective compares, thrown away afterwards (Chen et al., 2020)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from torch import Tensor, nn

from headstart.pretraining.objective import Encoded, Learner

__all__ = ["PairCost", "Projected", "projector"]

PairCost = Callable[[Tensor, Tensor], Tensor]
"""From the projections of two views of the same rows, (N, d) each, to their mean cost."""


def projector(inputs: int, hidden: int, width: int, *, layers: int = 2, last_norm: bool = False) -> nn.Sequential:
    """(N, inputs) -> (N, width): linear layers with batch norm and ReLU between them, and batch norm behind the last
    one where `last_norm`."""
    sizes = [inputs, *[hidden] * (layers - 1)]
    parts: list[nn.Module] = []
    for before, after in pairwise(sizes):
        parts += [nn.Linear(before, after, bias=False), nn.BatchNorm1d(after), nn.ReLU()]
    parts.append(nn.Linear(sizes[-1], width))
    if last_norm:
        parts.append(nn.BatchNorm1d(width, affine=False))
    return nn.Sequential(*parts)


class Projected(Learner):
    """Two views of each row, projected, at the cost of the pairs of projections."""

    def __init__(self, projected: nn.Module, cost: PairCost) -> None:
        super().__init__()
        self.projector, self._cost = projected, cost

    def forward(self, rows: Encoded) -> Tensor:
        """The mean cost."""
        features = rows.features.float()
        z = self.projector(features.flatten(0, 1)).unflatten(0, features.shape[:2])
        return self._cost(z[:, 0], z[:, 1])
