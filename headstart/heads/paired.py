"""Two models on the same rows: whether one is better beyond chance, by the standard error of the paired difference.

That rule is the one of Breiman et al. (1984, section 3.4.3): on few rows, and of many candidates, one is often lower by
luck.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from headstart.tasks.task import Array

__all__ = ["above_error", "lower", "standard_error"]


def standard_error(differences: Array, weights: Array, blocks: Array | None = None) -> float:
    """Of the mean of differences (N,) under weights (N,) that sum to 1; rows of one block (N,) count as drawn together.

    sqrt(sum_b (sum_(i in b) v_i (d_i - d))^2),   d_i = the difference in row i,   d = sum_i v_i d_i
    """
    parts = weights * (differences - weights @ differences)
    if blocks is not None:
        parts = np.bincount(np.unique(blocks, return_inverse=True)[1], parts)
    return float(np.sqrt(np.sum(parts**2)))


def above_error(differences: Array, weights: Array) -> bool:
    """Whether the mean of differences (N,) under weights (N,) is above its standard error."""
    return bool(weights @ differences > standard_error(differences, weights))


def lower(ones: Sequence[float] | Array, others: Sequence[float] | Array, margin: float) -> bool:
    """Whether the mean of the ones is lower by more than so many standard errors of the paired difference, rows alike
    in weight."""
    with np.errstate(invalid="ignore"):  # some may be endlessly bad
        apart = np.subtract(others, ones)
        return not apart.mean() <= margin * apart.std(ddof=min(1, len(apart) - 1)) / math.sqrt(len(apart))
