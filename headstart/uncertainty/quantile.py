"""The threshold of split conformal prediction (Vovk et al., 2005; Lei et al., 2018, algorithm 2).

    q = the ceil((n + 1) c)-th smallest of n scores

A new score, exchangeable with these, is at most q with a probability of at least c, and of at most c + 1 / (n + 1)
where no two scores are equal.
"""

from __future__ import annotations

import math
from numbers import Real

import numpy as np

from headstart.tasks.kind import Array

__all__ = ["share_of", "threshold"]

_ROUNDING = 1e-9


def threshold(scores: Array, coverage: float) -> float:
    """q of scores (n,); infinity where so few rows can promise nothing of the kind."""
    rank = math.ceil((len(scores) + 1) * coverage - _ROUNDING)
    if rank > len(scores):
        return math.inf
    return float(np.partition(scores, rank - 1)[rank - 1])


def share_of(value: object, name: str = "coverage") -> float:
    """A share above 0 and below 1. Raises ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 < float(value) < 1:
        raise ValueError(f"{name} is {value!r}, expected a number above 0 and below 1, such as .9")
    return float(value)
