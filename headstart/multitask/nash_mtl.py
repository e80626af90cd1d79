"""Nash-MTL (Navon et al., 2022, claim 3.1): the step on which the tasks agree in Nash's bargain.

    max_d sum_i log(g_i . d)   with  |d| <= r      has    d = sum_i alpha_i g_i,     G G' alpha = 1 / alpha,   alpha > 0

The same for losses in any units. The equation says where the gradient of a convex function is 0,

    min over alpha > 0 of   alpha' K alpha / 2 - sum_i log alpha_i,      K = G G'

which Newton's method finds to machine precision in some ten steps (the authors solve a sequence of convex programmes).
Weights of the losses as a whole, so that heads are weighed too. A trace of the identity is added to K, since where
gradients cancel each other there is no bargain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from headstart.losses.penalty import Context
from headstart.multitask.weighing import ByGradients, Combined, Weighing

__all__ = ["NashMTL", "bargained"]

_STEPS = 100
_CLOSE = 1e-12
_JITTER = 1e-6


@dataclass(frozen=True, kw_only=True)
class NashMTL(Weighing):
    """No options of its own."""

    def start(self, context: Context) -> ByGradients:
        """Nothing is kept between steps. alpha has the mean 1, so that the step of heads is as large as of a sum."""

        def combine(K: Tensor, losses: Tensor, tasks: Tensor, rng: np.random.Generator) -> Combined:
            alpha = bargained(K + _JITTER * K.diagonal().mean() * torch.eye(len(K), dtype=K.dtype))
            alpha = alpha / alpha.mean()
            return Combined(alpha, alpha)

        return ByGradients(context, self, combine)


def bargained(K: Tensor) -> Tensor:
    """alpha (T,) of K (T, T), positive definite."""
    scale = K.diagonal().mean()
    A = K / scale
    alpha = 1 / A.diagonal().sqrt()
    for _ in range(_STEPS):
        gradient = A @ alpha - 1 / alpha
        step = torch.linalg.solve(A + torch.diag(1 / alpha**2), gradient)
        decrement = torch.sqrt(
            (gradient @ step).clamp_min(0.0)
        )  # of a self-concordant function: damped while it is large
        alpha = alpha - step / (1 + decrement) if decrement > 0.25 else alpha - step
        if decrement < _CLOSE:
            break
    return alpha / scale.sqrt()
