"""CAGrad (Liu et al., 2021, algorithm 1): down the mean loss, as near as may be to what serves the worst-off task.

    max_d min_i g_i . d   with  |d - g_0| <= c |g_0|,     g_0 = mean_i g_i
    d = g_0 + c |g_0| g_w / |g_w|,    g_w = sum_i w_i g_i,    w = argmin over the simplex of  g_w . g_0 + c |g_0| |g_w|

c = 0 is gradient descent on the mean; towards c = 1 it becomes MGDA. With c < 1 it converges to a minimum of the mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor

from headstart.checks import share_below_one
from headstart.losses.penalty import Context
from headstart.multitask.weighing import ByGradients, Combined, Weighing
from headstart.tasks.task import Array

__all__ = ["CAGrad", "averse", "worst"]

_TINY = 1e-12


@dataclass(frozen=True, kw_only=True)
class CAGrad(Weighing):
    """c   how far the step may be from the mean gradient, as a share of its length"""

    c: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        share_below_one("c", self.c)

    def start(self, context: Context) -> ByGradients:
        """Nothing is kept between steps. The direction is that of a sum over tasks, as their heads' gradients are."""

        def combine(K: Tensor, losses: Tensor, tasks: Tensor, rng: np.random.Generator) -> Combined:
            return Combined(len(K) * averse(K, self.c), torch.ones(len(K), dtype=K.dtype))

        return ByGradients(context, self, combine)


def averse(K: Tensor, c: float) -> Tensor:
    """K = G G' (T, T) -> (T,) with d = averse G."""
    mean = torch.full((len(K),), 1 / len(K), dtype=K.dtype)
    w = torch.from_numpy(worst(K.double().numpy(), c)).to(K.dtype)
    length = torch.sqrt((mean @ K @ mean) / (w @ K @ w).clamp_min(_TINY * K.diagonal().mean()))
    return mean + c * length * w


def worst(K: Array, c: float) -> Array:
    """w above (T,)."""
    tasks = len(K)
    A = K / np.trace(K)
    b = A.mean(axis=1)
    radius = c * np.sqrt(max(b.mean(), 0.0))

    def objective(w: Array) -> tuple[float, Array]:
        half = A @ w
        norm = np.sqrt(max(w @ half, _TINY))
        return float(w @ b + radius * norm), b + radius * half / norm

    even = np.full(tasks, 1 / tasks)
    simplex = {"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda w: np.ones(tasks)}
    found = minimize(objective, even, jac=True, method="SLSQP", bounds=[(0, 1)] * tasks, constraints=[simplex])
    w = np.clip(found.x, 0, None)
    return np.asarray(w / w.sum())
