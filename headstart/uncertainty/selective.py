"""Selective prediction: answer only where the model is sure enough to be right as often as asked.

    t = the lowest confidence such that, of the rows at least as sure, a share of `accuracy` or more is right

(El-Yaniv and Wiener, 2010; Geifman and El-Yaniv, 2017), on rows that the model did not learn from.
"""

from __future__ import annotations

import math

import numpy as np

from headstart.tasks.kind import Array

__all__ = ["FEWEST", "confidence_threshold"]

FEWEST = 20
"""Answers on which an accuracy is to stand."""


def confidence_threshold(confidence: Array, right: Array, accuracy: float) -> float:
    """t of (n,) confidences and (n,) bool whether the answers are right; infinity where no 20 rows are so good."""
    order = np.argsort(-confidence, kind="stable")
    sure, cumulated = confidence[order], np.cumsum(right[order])
    answered = np.arange(1, len(sure) + 1)
    last_of_equals = np.append(sure[1:] < sure[:-1], True) if len(sure) else np.zeros(0, bool)
    enough = last_of_equals & (answered >= FEWEST) & (cumulated >= accuracy * answered)
    return float(sure[np.flatnonzero(enough)[-1]]) if enough.any() else math.inf
