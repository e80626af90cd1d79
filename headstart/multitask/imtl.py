"""IMTL-G (Liu et al., 2021, "Towards impartial multi-task learning", equation 6): as far along each gradient.

    d . u_1 = d . u_i  for every task i,     u_i = g_i / |g_i|,     d = sum_i alpha_i g_i,     sum_i alpha_i = 1
    alpha_2.. = g_1 U' (D U')^-1,    U = u_1 - u_2..,    D = g_1 - g_2..,      alpha_1 = 1 - sum(alpha_2..)

In closed form, and no task is favoured by the size of its loss; alpha may be negative. Heads go down their own
gradients.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from headstart.losses.penalty import Context
from headstart.multitask.weighing import ByGradients, Combined, Weighing

__all__ = ["IMTL", "impartial"]


@dataclass(frozen=True, kw_only=True)
class IMTL(Weighing):
    """No options of its own."""

    def start(self, context: Context) -> ByGradients:
        """Nothing is kept between steps. The direction is that of a sum over tasks, as their heads' gradients are."""

        def combine(K: Tensor, losses: Tensor, tasks: Tensor, rng: np.random.Generator) -> Combined:
            return Combined(len(K) * impartial(K), torch.ones(len(K), dtype=K.dtype))

        return ByGradients(context, self, combine)


def impartial(K: Tensor) -> Tensor:
    """alpha (T,) of K = G G' (T, T)."""
    along = K / K.diagonal().sqrt()  # g_i . u_j
    U = along[:, :1] - along[:, 1:]  # g_i . (u_1 - u_j)
    rest = torch.linalg.lstsq((U[:1] - U[1:]).T, U[0]).solution
    return torch.cat([1 - rest.sum()[None], rest])
