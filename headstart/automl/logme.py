"""LogME: the log of the maximum evidence of a Bayesian linear model (You, Liu, Wang and Long, 2021).

    y = X w + e,   w ~ N(0, I / a),   e ~ N(0, I / b):        LogME = max_{a, b}  log p(y | X, a, b) / N

    log p = N/2 log b + D/2 log a - N/2 log 2 pi - b/2 |X w - y|^2 - a/2 |w|^2 - log det(a I + b X'X) / 2
          = N/2 log b - N/2 log 2 pi - log det M / 2 - b/2 y' M^-1 y,          M = I + X X' / r,   r = a / b

The mean over the indicators of the classes; of values, themselves. Given r the best b is N / y' M^-1 y, so that one
number is left to be searched, on a grid and then to the end: a greatest value, not the fixed point that a few
iterations reach. There is no intercept, as in the paper; with the mean of the features, X = U S V' + 1 m', in the axes

    log det M = sum_k log(1 + l_k / r) + log s,      s = 1 + z_0^2 / r + sum_k z_k^2 / (r + l_k)
    y' M^-1 y = rest + sum_k a_k^2 r / (r + l_k) + (c - sum_k S_k z_k a_k / (r + l_k))^2 / s
    l = S^2,   a = U'y,   c = 1'y / sqrt(N),   z = sqrt(N) V'm,   z_0^2 = N |m|^2 - |z|^2

every term of which is positive, however large the mean. Where the features explain y exactly the evidence has no
bound: what they leave unexplained counts as a share of 1e-12 of y'y at least.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from headstart.automl.checks import truth_of
from headstart.automl.decomposition import Decomposition, Features, decompose
from headstart.linalg.blas import one_thread
from headstart.tasks import CLASSIFICATION
from headstart.tasks.kind import kind_named
from headstart.tasks.task import Array

__all__ = ["logme"]

EXACT = 1e-12
BEYOND = 24.0
STEP = 0.25


def logme(features: Features, targets: npt.ArrayLike, *, kind: str = CLASSIFICATION) -> float:
    """Log evidence a row, in nats, of features (N, D) and targets (N,), labels or values. Higher is better.

    Comparable between features of the same rows, not between tasks. ValueError for targets that do not fit `kind`
    """
    parts = decompose(features)
    truth = truth_of(targets, len(parts), kind_named(kind))
    with one_thread():
        evidence = _Evidence(parts, truth)
        grid = evidence.grid
        on_grid = evidence.at(grid)
        return float(np.mean([evidence.greatest(t, grid, on_grid[:, t]) for t in range(truth.shape[1])]))


class _Evidence:
    """log p / N of T targets as a function of log r."""

    def __init__(self, parts: Decomposition, truth: Array) -> None:
        n = len(parts)
        self.n, self.squares = n, parts.squares
        mean = truth.mean(axis=0)
        a = parts.left.T @ (truth - mean)
        rest = np.square(truth - mean - parts.left @ a).sum(axis=0)
        self.rest = np.maximum(rest, EXACT * np.square(truth).sum(axis=0))
        self.z = np.sqrt(n) * parts.along
        self.z_0 = n * parts.beyond
        self.a, self.c = a, np.sqrt(n) * mean
        self.cross = (np.sqrt(self.squares) * self.z)[:, None] * a

    @property
    def grid(self) -> Array:
        """log r, from where the prior says nothing to where it says that w is 0."""
        sizes = np.append(self.squares, [self.z @ self.z + self.z_0])
        sizes = sizes[sizes > 0]
        if not sizes.size:
            return np.zeros(1)
        low, high = float(np.log(sizes.min())) - BEYOND, float(np.log(sizes.sum())) + BEYOND
        return np.linspace(low, high, 2 + int((high - low) / STEP))

    def at(self, log_r: Array, target: slice = slice(None)) -> Array:
        """(G,) -> (G, T)."""
        r = np.exp(log_r)[:, None]
        inverse = 1 / (r + self.squares)
        s = 1 + self.z_0 / r[:, 0] + inverse @ np.square(self.z)
        q = self.rest[target] + (r * inverse) @ np.square(self.a[:, target])
        q += np.square(self.c[target] - inverse @ self.cross[:, target]) / s[:, None]
        determinant = np.log1p(self.squares / r).sum(axis=1) + np.log(s)
        return np.asarray(-0.5 * (np.log(2 * np.pi * q / self.n) + 1) - determinant[:, None] / (2 * self.n))

    def greatest(self, target: int, grid: Array, on_grid: Array) -> float:
        """The greatest value, from the best point of the grid."""
        best = int(on_grid.argmax())
        ends = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
        if ends[0] == ends[1]:
            return float(on_grid[best])
        column = slice(target, target + 1)
        search = minimize_scalar(lambda x: -self.at(np.array([x]), column)[0, 0], bounds=ends, method="bounded")
        return max(float(on_grid[best]), -float(search.fun))
