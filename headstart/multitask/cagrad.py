"""CAGrad (Liu et al., 2021, algorithm 1): down the mean loss, as near as may be to what serves the worst-off task.

    max_d min_i g_i . d   with  |d - g_0| <= c |g_0|,     g_0 = mean_i g_i
    d = g_0 + c |g_0| g_w / |g_w|,    g_w = sum_i w_i g_i,    w = argmin over the simplex of  g_w . g_0 + c |g_0| |g_w|

c = 0 is gradient descent on the mean; towards c = 1 it becomes MGDA. With c < 1 it converges to a minimum of the mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from torch import Tensor

from headstart.checks import share_below_one
from headstart.losses.penalty import Context
from headstart.multitask.weighing import ByGradients, Combined, Weighing
from headstart.tasks.task import Array

__all__ = ["CAGrad", "averse", "worst"]

_TINY = 1e-12
_CLOSE = 1e-10
_SWEEPS = 1000


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
    least = _TINY * K.diagonal().mean()  # where gradients cancel each other, rounding may leave less than nothing
    length = torch.sqrt((mean @ K @ mean).clamp_min(0.0) / (w @ K @ w).clamp_min(least))
    return mean + c * length * w


def worst(K: Array, c: float) -> Array:
    """w above (T,), by exact steps that move weight between two tasks: of two, in one.

    With d = e_i - e_j, the objective along w + t d is  s t + r sqrt(a t^2 + 2 h t + q),  s = (b_i - b_j), a = d'Kd,
    h = d'Kw, q = w'Kw, and is least where  a t + h = -s sqrt((a q - h^2) / (r^2 a - s^2)).
    """
    A = K / np.trace(K)
    b = A.mean(axis=1)
    r = c * np.sqrt(max(b.mean(), 0.0))
    w = np.full(len(A), 1 / len(A))
    for _ in range(_SWEEPS):
        moved = max((_moved(w, A, b, r, i, j) for i, j in combinations(range(len(A)), 2)), default=0.0)
        if moved < _CLOSE:
            break
    return w


def _moved(w: Array, A: Array, b: Array, r: float, i: int, j: int) -> float:
    """Move weight between two tasks, in place, to where the objective is least; how much."""
    rows = A[i] - A[j]
    s, a, h, q = b[i] - b[j], rows[i] - rows[j], rows @ w, w @ A @ w
    room = r**2 * a - s**2
    # Where there is no root the objective falls, or is flat, all the way: further than there is weight to move.
    t = -np.sign(s) if a <= _TINY or room <= 0 else (-s * np.sqrt(max(a * q - h**2, 0.0) / room) - h) / a
    t = float(np.clip(t, -w[i], w[j]))
    w[i], w[j] = w[i] + t, w[j] - t
    return abs(t)
