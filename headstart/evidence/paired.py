"""Two losses on the same rows: whether one is lower beyond chance."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

__all__ = ["lower"]


def lower(ones: Sequence[float], others: Sequence[float], margin: float) -> bool:
    """Whether the mean of the ones is lower by more than so many standard errors of the paired difference (Breiman et
    al., 1984, section 3.4.3): on few rows an epoch is often lower by luck."""
    with np.errstate(invalid="ignore"):  # some may be endlessly bad
        apart = np.subtract(others, ones)
    return not apart.mean() <= margin * apart.std(ddof=min(1, len(apart) - 1)) / math.sqrt(len(apart))
