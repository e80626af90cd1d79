"""GradNorm (Chen et al., 2018, equation 2 and algorithm 1): weights by which gradients have like norms.

    L_grad(w) = sum_t | w_t |g_t| - m r_t^alpha |,     m = mean_i w_i |g_i|  (taken as constant)
    r_t = l_t / mean_i l_i,     l_t = L_t / L_t(0)                           the inverse rate at which task t learns
    w <- T (w - rate d L_grad / dw / m) / sum(..)

g_t is the gradient on the weights that all tasks share (the paper takes those of the last shared layer; here all that
move). The gradient of w is taken in units of m, so that its step does not depend on the scale of the losses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from headstart.checks import at_least, positive
from headstart.losses.penalty import Context, Helper
from headstart.multitask.weighing import ByGradients, Combined, Weighing, memory

__all__ = ["GradNorm", "renewed"]

_LEAST = 1e-3
"""Of a weight: at 0 a task would have no gradient, and so no way back."""


@dataclass(frozen=True, kw_only=True)
class GradNorm(Weighing):
    """alpha   how much tasks that learn slowly are drawn up      rate   of w"""

    alpha: float = 1.5
    rate: float = 0.025

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("alpha", self.alpha, 0)
        positive("rate", self.rate)

    def start(self, context: Context) -> ByGradients:
        """With weights of 1; the first losses are those of the first step that has an answer to the task."""
        tasks = len(context.kind.parts)
        state = memory(w=torch.ones(tasks).double(), first=torch.zeros(tasks).double())

        def combine(K: Tensor, losses: Tensor, tasks: Tensor, rng: np.random.Generator) -> Combined:
            w, first = state.get_buffer("w"), state.get_buffer("first")
            first[tasks] = torch.where(first[tasks] > 0, first[tasks], losses)
            now = w[tasks].clone()
            w[tasks] = renewed(now, K.diagonal().sqrt(), losses / first[tasks], alpha=self.alpha, rate=self.rate)
            return Combined(now, now)

        return ByGradients(context, self, combine, Helper(state, 0.0))


def renewed(w: Tensor, norms: Tensor, progress: Tensor, *, alpha: float, rate: float) -> Tensor:
    """w after one step. (T,) each: norms |g_t| of unweighted losses, progress l_t; the sum of w stays as it is."""
    m = (w * norms).mean()
    r = progress / progress.mean()
    slope = torch.sign(w * norms - m * r**alpha) * norms / m
    moved = (w - rate * slope).clamp_min(_LEAST)
    return moved * w.sum() / moved.sum()
