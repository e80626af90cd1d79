"""Standard features: centred and scaled over the training rows, computed block by block without a copy.

    each     scale_d = sqrt(var_d): every feature has a unit of its own, like the columns of a table
    shared   scale_d = sqrt(var_d + median var): the features have one unit, like the outputs of a network
    same     scale_d = sqrt(mean var): distances between rows stay as they are, up to one factor

A picture network has features that hardly stir on a hundred training rows and do on the next: scaled by so small a
deviation of their own they overwhelm all others in rows not yet seen, and cross-validation does not notice, for the
scale is that of all rows. A shared scale leaves them small.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from headstart.linalg.moments import blocks
from headstart.tasks.task import Array

__all__ = ["BLOCK", "Scale", "Standard", "refuse_bad", "scaled", "standard"]

Scale = Literal["each", "shared", "same"]
BLOCK = 1024
LARGEST = 1e100


class Standard(NamedTuple):
    """mean (D,) and scale (D,), float64."""

    mean: Array
    scale: Array

    def apply(self, features: Array) -> Array:
        """(N, D) features -> (N, D) standardised features, float64."""
        return np.asarray((features - self.mean) / self.scale)


def standard(features: Array, order: Array, weights: Array, scale: Scale = "each") -> Standard:
    """Weighted mean and scale of `features[order]` (N, D); `weights` (N,) stand in that order.

    Sums run in float64 on differences from the first row, so that large means cost no digits. A feature whose
    deviation is below the rounding of its own mean counts as constant, and its own scale is max(1, |mean|): it
    becomes 0 and stays out.
    """
    first = features[order[0]].astype(np.float64)
    total, squares = np.zeros_like(first), np.zeros_like(first)
    for rows in blocks(len(order), BLOCK):
        difference = features[order[rows]] - first
        total += weights[rows] @ difference
        squares += weights[rows] @ np.square(difference)
    shift = total / weights.sum()
    deviation = np.sqrt(np.maximum(squares / weights.sum() - shift**2, 0.0))
    mean = first + shift
    rounding = np.finfo(features.dtype)
    return scaled(mean, deviation, deviation <= np.maximum(rounding.eps * np.abs(mean), rounding.tiny), scale)


def scaled(mean: Array, deviation: Array, constant: Array, scale: Scale) -> Standard:
    """From the mean, the standard deviation, and which features are constant, (D,) each."""
    if scale == "same" and not constant.all():
        return Standard(mean, np.full_like(deviation, np.sqrt(np.mean(deviation**2))))
    if scale == "shared" and not constant.all():
        return Standard(mean, np.hypot(deviation, np.sqrt(np.median(deviation[~constant] ** 2))))
    return Standard(mean, np.where(constant, np.maximum(1.0, np.abs(mean)), deviation))


def refuse_bad(features: Array) -> None:
    """ValueError where a feature is NaN, infinite, or too large to be squared."""
    largest = min(LARGEST, float(np.finfo(features.dtype).max))
    bad = np.concatenate([~(np.abs(features[rows]) <= largest).all(axis=1) for rows in blocks(len(features), BLOCK)])
    if bad.any():
        raise ValueError(
            f"features must be finite numbers up to {largest:.0e}, but {bad.sum()} of {len(bad)} rows hold NaN, "
            f"infinity or larger ones, the first of them row {int(np.argmax(bad))}: set those inputs aside, or fill "
            "in what is missing, before fitting a head"
        )
