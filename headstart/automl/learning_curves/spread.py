"""How much the error of a model hangs on which rows of a size it happened to learn from, whatever it is tested on.

    s(n) = var_d(e_d(n)) - mean_{d < d'} var_b(e_bd(n) - e_bd'(n)) / 2          d draws, b resamples of the test rows
    v(n) = w / n,    w = mean_n  n F s(n) / (1 - n / N)                         F folds a draw, N rows drawn from

over the larger half of the sizes. The second term is what the finite test takes part in: a row that one draw gets right
and another wrong. Of F folds a draw holds the mean. Subsamples of one pool have rows in common, so that draws differ by
too little: the finite population correction, exact for means. With all rows they do not differ at all, though another
N rows would leave another error: that is read off the smaller sizes. A variance falls as 1 / n where an error is near a
mean over the rows learnt from, as it is once there are many; the smallest sizes, where all may fail alike, say nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from headstart.automl.learning_curves.measure import Design, Errors
from headstart.tasks.task import Array

__all__ = ["Spread", "spread_of"]

_MOST_OF_POOL = 0.6
"""Sizes above this share of the pool say too little: the correction would divide by next to nothing."""


class Spread(NamedTuple):
    """w, the variance between training sets of one row each."""

    w: float

    def variance(self, rows: Array | float) -> Array:
        """Of the error of a model that learns from so many rows drawn anew."""
        return np.asarray(self.w / np.asarray(rows, np.float64))


def spread_of(errors: Errors, design: Design) -> Spread:
    """Of at least two draws. Where they agree as far as the test can show, half a test row stands in for the rest."""
    sizes = np.asarray(design.sizes, np.float64)
    usable = np.flatnonzero(sizes <= _MOST_OF_POOL * design.pool)
    usable = usable[len(usable) // 2 :] if len(usable) else np.array([0])
    n = sizes[usable]
    own = errors.value[:, usable].var(axis=0, ddof=1) - _of_test(errors.resampled[:, :, usable])
    left = np.maximum(1 - n / design.pool, 1 - _MOST_OF_POOL)
    least = (n * (0.5 / design.tested) ** 2).mean()
    return Spread(float(max((n * design.folds * own / left).mean(), least)))


def _of_test(resampled: Array) -> Array:
    """(K,) of (B, D, K): half the variance of the difference of two draws, between resamples of the test rows."""
    deviations = resampled - resampled.mean(axis=1, keepdims=True)
    return np.asarray(deviations.var(axis=0, ddof=1).sum(axis=0) / (resampled.shape[1] - 1))
