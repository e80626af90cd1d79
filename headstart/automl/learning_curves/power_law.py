"""A power law of the error by the number of rows (Hestness et al., 2017; Viering and Loog, 2021, "The shape of learning
curves"), fitted by weighted least squares.

    e(n) = a + b n^-c        a >= 0, b >= 0, c from .01 to 2

For a given c the best a and b are known in closed form, so that c alone is searched (variable projection: Golub and
Pereyra, 1973): over a grid, which is then narrowed around its best point. So there is no start to choose, no step that
fails to converge, and many curves are fitted at once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from headstart.tasks.task import Array

__all__ = ["HIGHEST", "LOWEST", "PowerLaw", "fit_power_law", "fit_power_laws"]

LOWEST, HIGHEST = 0.01, 2.0
"""Exponents between which the best is sought."""
_GRID, _ZOOM, _NARROWINGS = 60, 9, 14


class PowerLaw(NamedTuple):
    """a is the error that no number of rows takes away, b and c how fast the rest falls."""

    a: float
    b: float
    c: float

    def at(self, rows: Array | float) -> Array:
        """The error of a model that learns from so many rows."""
        return np.asarray(self.a + self.b * np.asarray(rows, np.float64) ** -self.c)

    @property
    def at_limit(self) -> bool:
        """Whether the exponent lies at an end of those that were tried, so that no power law has the curve's shape."""
        return self.c < LOWEST * 1.001 or self.c > HIGHEST * 0.999


def fit_power_law(sizes: Array, errors: Array, weights: Array) -> PowerLaw:
    """That of one curve; arguments (K,)."""
    return PowerLaw(*(float(part[0]) for part in fit_power_laws(sizes, errors[None], weights[None])))


def fit_power_laws(sizes: Array, errors: Array, weights: Array) -> tuple[Array, Array, Array]:
    """a, b and c (B,) of B curves.

    sizes     (K,) numbers of rows, of which at least three weigh more than 0
    errors    (B, K) what is fitted
    weights   (B, K) one over the variance of each; 0 leaves a size out
    """
    log_n = np.log(np.asarray(sizes, np.float64))
    errors, weights = np.asarray(errors, np.float64), np.broadcast_to(weights, np.shape(errors))
    share = weights / weights.sum(axis=1, keepdims=True)
    grid = np.tile(np.geomspace(LOWEST, HIGHEST, _GRID), (len(errors), 1))
    a = b = c = np.empty(0)
    for _ in range(_NARROWINGS):
        a, b, c, grid = _best_on(grid, log_n, errors, share)
    return a, b, c


def _best_on(grid: Array, log_n: Array, errors: Array, share: Array) -> tuple[Array, Array, Array, Array]:
    """The best a, b and c with c in a grid (B, G), and the finer grid between the neighbours of that c."""
    x, y, w = np.exp(-grid[:, :, None] * log_n), errors[:, None], share[:, None]
    x_mean, y_mean = (x * w).sum(axis=2), (y * w).sum(axis=2)
    x_off, y_off = x - x_mean[:, :, None], y - y_mean[:, :, None]
    b = (x_off * y_off * w).sum(axis=2) / np.maximum((x_off**2 * w).sum(axis=2), np.finfo(np.float64).tiny)
    flat, to_zero = b < 0, y_mean < b * x_mean
    b = np.where(flat, 0.0, np.where(to_zero, (x * y * w).sum(axis=2) / (x**2 * w).sum(axis=2), b))
    a = np.where(flat, y_mean, np.where(to_zero, 0.0, y_mean - b * x_mean))
    loss = ((a[:, :, None] + b[:, :, None] * x - y) ** 2 * w).sum(axis=2)
    best = loss.argmin(axis=1)[:, None]
    low = np.take_along_axis(grid, np.maximum(best - 1, 0), axis=1)
    high = np.take_along_axis(grid, np.minimum(best + 1, grid.shape[1] - 1), axis=1)
    a, b, c = (np.take_along_axis(part, best, axis=1)[:, 0] for part in (a, b, grid))
    return a, b, c, low + (high - low) * np.linspace(0, 1, _ZOOM)
