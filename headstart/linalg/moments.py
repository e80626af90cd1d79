"""Mean and covariance of many rows, and affine maps of them, block by block: no copy of the rows is ever made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from headstart.tasks.task import Array

__all__ = ["BLOCK", "Moments", "affine", "blocks", "moments", "power"]

BLOCK = 4096


class Moments(NamedTuple):
    """mean (d,) and covariance (d, d)."""

    mean: Array
    covariance: Array


def moments(rows: Array, weights: Array | None = None, *, biased: bool = False) -> Moments:
    """Of rows (n, d) that weigh `weights` (n,): over n - 1, or with `biased` over n.

    ValueError where all the weight is on one row, so that nothing varies.
    """
    w = np.ones(len(rows)) if weights is None else weights
    total = w.sum()
    freedom = total - w @ w / total
    if not freedom > total * 1e-12:
        raise ValueError("all the weight is on one row: expected weight on 2 rows or more, to see how features vary")
    freedom = total if biased else freedom
    mean = w @ rows / total
    scatter = np.zeros((rows.shape[1],) * 2)
    for part in blocks(len(rows)):
        difference = rows[part] - mean
        scatter += (w[part, None] * difference).T @ difference
    return Moments(mean, scatter / freedom)


def power(matrix: Array, exponent: float, name: str) -> Array:
    """A symmetric matrix (d, d) to a power. ValueError where that is negative and the matrix singular."""
    from scipy.linalg import eigh

    values, vectors = eigh(matrix, driver="evd")
    floor = len(values) * np.finfo(np.float64).eps * values[-1]
    if exponent < 0 and not values[0] > floor:
        raise ValueError(
            f"the {name} covariance is singular (rank {np.sum(values > floor)} of {len(values)}): there are fewer rows "
            "than features, or a feature is constant or repeats others: set penalty higher, such as 1e-5 of a variance"
        )
    raised = np.maximum(values, floor if exponent < 0 else 0.0) ** exponent
    return np.asarray((vectors * raised) @ vectors.T)


def affine(rows: Array, center: Array, matrix: Array, offset: Array) -> Array:
    """(rows - center) @ matrix + offset: (n, d) -> (n, k)."""
    moved = np.empty((len(rows), matrix.shape[1]))
    for part in blocks(len(rows)):
        moved[part] = (rows[part] - center) @ matrix + offset
    return moved


def blocks(count: int, size: int | None = None) -> Iterator[slice]:
    """Slices of `size` rows, BLOCK unless given, that cover `count` rows."""
    size = size or BLOCK
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))
