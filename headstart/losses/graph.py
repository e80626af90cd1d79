"""Manifold regularisation (Belkin, Niyogi and Sindhwani, 2006, equation 4), on the rows of a batch of both domains.

    min  L_y + weight trace(F' L F) / sum_ij W_ij,   L = diag(W 1) - W
    W_ij = exp(-|x_i - x_j|^2 / s) where j is among the k nearest of i or i among those of j, else 0

F are the answers, s the mean of |x_i - x_j|^2 over all pairs: rows with like features, of whichever domain, shall get
like answers. The features in W are taken as they are; what they make of it reaches them through F.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from headstart.checks import at_least
from headstart.linalg.distances import expanded_among
from headstart.losses.domains import Between, Domains
from headstart.losses.penalty import Context
from headstart.losses.supervised import Needs, Supervised
from headstart.tasks import CLASSIFICATION, REGRESSION
from headstart.tasks.task import Kind

__all__ = ["Graph", "edges", "roughness"]


@dataclass(frozen=True, kw_only=True)
class Graph(Supervised):
    """weight      of the roughness
    neighbours  k above
    """

    weight: float = 1.0
    neighbours: int = 5
    needs: ClassVar[Needs] = "target"
    kinds: ClassVar[tuple[Kind, ...]] = (CLASSIFICATION, REGRESSION)
    amounts: ClassVar[tuple[str, ...]] = ("l1", "l2", "weight")

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("neighbours", self.neighbours, 1)

    def start(self, context: Context) -> Between:
        """Nothing is kept between batches."""
        return Between(context.network, self, self.weight, self._cost)

    def _cost(self, both: Domains) -> Tensor:
        F = both.logits.softmax(1) if both.found.kind.exclusive else both.logits
        return roughness(F, edges(both.x.detach(), self.neighbours))


def edges(x: Tensor, k: int) -> Tensor:
    """(N, D) -> W (N, N), symmetric, 0 on the diagonal."""
    squared = expanded_among(x)
    s = squared.mean().clamp_min(torch.finfo(x.dtype).tiny)
    others = squared.clone().fill_diagonal_(torch.inf)
    nearest = others.topk(min(k, len(x) - 1), largest=False).indices
    near = torch.zeros_like(squared).scatter_(1, nearest, 1.0)
    return torch.exp(-squared / s) * torch.maximum(near, near.T)


def roughness(F: Tensor, W: Tensor) -> Tensor:
    """trace(F' L F) / sum_ij W_ij of (N, C) answers."""
    ratio: Tensor = ((F.square().sum(1) * W.sum(1)).sum() - (F * (W @ F)).sum()) / W.sum()
    return ratio
