"""From estimators that know only the classes they saw to logits for every class, and for every label."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import logsumexp

from headstart.tasks.task import Array, Kind

__all__ = ["label_logits", "spread"]


def label_logits(targets: Array, kind: Kind, classes: int, logits_of: Callable[[Array, int], Array]) -> Array:
    """(N, C) logits; `logits_of(codes, C)` answers a single classification with (N, C), and is asked once a label."""
    if kind.exclusive:
        return logits_of(targets, classes)
    pairs = [logits_of(column.astype(np.int64), 2) for column in targets.T]
    return np.stack([pair[:, 1] - pair[:, 0] for pair in pairs], axis=1)


def spread(logits: Array, present: Array, classes: int, rows: int) -> Array:
    """Logits (N, S) of the codes `present` (S,) -> (N, C); a class that none of `rows` rows showed gets the odds of
    add-half smoothing."""
    every = np.empty((len(logits), classes))
    every[:] = logsumexp(logits, axis=1, keepdims=True) - np.log(2 * (rows + 1.0))
    every[:, present] = logits
    return every
