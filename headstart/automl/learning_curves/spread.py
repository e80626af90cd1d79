"""How much the error of a model hangs on which rows of a size it happened to learn from.

    v(n) = F var_d(e_d(n)) / (1 - n / N)        d draws, F folds a draw, N rows that are drawn from
    log v(n) = log v_1 - p log n                least squares, p from 0 to 3

Subsamples of one pool have rows in common, so that draws differ by too little: the finite population correction, exact
for means. With all rows they do not differ at all, though another N rows would give another error: that is read off the
line through the smaller sizes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from headstart.automl.learning_curves.measure import Design
from headstart.tasks.task import Array

__all__ = ["Spread", "spread_of"]

_STEEPEST = 3.0
_MOST_OF_POOL = 0.8
"""Sizes above this share of the pool say too little: the correction would divide by next to nothing."""


class Spread(NamedTuple):
    """v_1 and p of the variance between training sets."""

    v_1: float
    p: float

    def variance(self, rows: Array | float) -> Array:
        """Of the error of a model that learns from so many rows drawn anew."""
        return np.asarray(self.v_1 * np.asarray(rows, np.float64) ** -self.p)


def spread_of(values: Array, design: Design) -> Spread:
    """From the errors (D, K) of at least two draws. Where draws agree wholly, half a test row stands in for what they
    cannot show."""
    sizes = np.asarray(design.sizes, np.float64)
    least = (0.5 / design.tested) ** 2
    usable = sizes <= _MOST_OF_POOL * design.pool
    usable[0] = True
    n = sizes[usable]
    corrected = design.folds * values[:, usable].var(axis=0, ddof=1) / (1 - n / design.pool)
    logs, log_n = np.log(np.maximum(corrected, least)), np.log(n)
    across = ((log_n - log_n.mean()) ** 2).sum()
    p = -((log_n - log_n.mean()) * (logs - logs.mean())).sum() / across if across > 0 else 1.0
    p = float(np.clip(p, 0, _STEEPEST))
    return Spread(float(np.exp(logs.mean() + p * log_n.mean())), p)
