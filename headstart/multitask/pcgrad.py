"""PCGrad (Yu et al., 2020, algorithm 1): of two gradients that oppose each other, each loses what does.

    g_i <- g_i - (g_i . g_j) / |g_j|^2 g_j     for every other task j, in random order, where g_i . g_j < 0
    d = sum_i g_i

g_j stays what it was before any projection. All that is needed are products of gradients, so that g_i is kept as
numbers c (T,) with g_i = c G.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from headstart.losses.penalty import Context
from headstart.multitask.weighing import ByGradients, Combined, Weighing

__all__ = ["PCGrad", "projected"]


@dataclass(frozen=True, kw_only=True)
class PCGrad(Weighing):
    """No options of its own."""

    def start(self, context: Context) -> ByGradients:
        """Nothing is kept between steps."""

        def combine(K: Tensor, losses: Tensor, tasks: Tensor, rng: np.random.Generator) -> Combined:
            orders = [rng.permutation(len(K)).tolist() for _ in losses]
            return Combined(projected(K, orders), torch.ones(len(K), dtype=K.dtype))

        return ByGradients(context, self, combine)


def projected(K: Tensor, orders: Sequence[Sequence[int]]) -> Tensor:
    """K = G G' (T, T), and for each task the order in which others are looked at -> (T,) with d = c G."""
    total = torch.zeros(len(K), dtype=K.dtype)
    for i, order in enumerate(orders):
        c = torch.zeros(len(K), dtype=K.dtype)
        c[i] = 1.0
        for j in order:
            against = c @ K[j]
            if j != i and against < 0:
                c[j] -= against / K[j, j]
        total += c
    return total
