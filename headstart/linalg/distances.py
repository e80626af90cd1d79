"""Squared distances |x - y|^2 between rows, by one matrix product: in each of the forms that numbers here rest on.

    |x - y|^2 = |x|^2 - 2 x'y + |y|^2

The product is many times faster than row by row, and loses the distances of rows that are nearer to each other than to
the origin by eight digits: hence from the middle of the centres, where that costs nothing that was stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from headstart.linalg.moments import blocks
from headstart.tasks.task import Array

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["apart", "expanded", "expanded_among", "squared_distances", "squared_lengths", "unit_gamma"]

WIDE = 32
Rows = TypeVar("Rows", Array, "Tensor")


def squared_distances(rows: Array, centres: Array) -> Array:
    """(N, b) |x - c|^2 of rows (N, d) and centres (b, d), never below 0, as one product (x, |x|^2, 1) (-2 c, 1, |c|^2)'
    of rows from the middle of the centres."""
    origin = centres.mean(axis=0)
    centres = centres - origin
    right = np.vstack([-2 * centres.T, np.ones(len(centres)), np.square(centres).sum(axis=1)])
    distances = np.empty((len(rows), len(centres)))
    for block in blocks(len(rows)):
        x = rows[block] - origin
        left = np.column_stack([x, np.square(x).sum(axis=1), np.ones(len(x))])
        np.matmul(left, right, out=distances[block])
    return np.maximum(distances, 0, out=distances)


def apart(rows: Array, others: Array) -> Array:
    """(N, M) squared distances: row by row, exact to the last bits, or where rows are wide from one product."""
    if rows.shape[1] >= WIDE:
        return squared_distances(rows, others)
    from scipy.spatial.distance import cdist

    return np.asarray(cdist(rows, others, "sqeuclidean"))


def expanded(x: Rows, others: Rows, squares: Rows | None = None) -> Rows:
    """(N, K) and (L, K) -> (N, L), never below 0, of arrays or tensors about their origin: what kernel heads store
    rests on these, to the last bit.

    squares   (L,) squared lengths of the others, where they are known: `squared_lengths`
    """
    own = squared_lengths(others) if squares is None else squares
    distances: Rows = (squared_lengths(x)[:, None] - 2 * (x @ others.T) + own).clip(min=0)
    return distances


def squared_lengths(x: Rows) -> Rows:
    """(N, K) -> (N,)."""
    lengths: Rows = (x * x).sum(1)
    return lengths


def expanded_among(x: Tensor) -> Tensor:
    """(N, D) -> (N, N), never below 0, between all rows of a batch; the same whichever of two rows comes first."""
    norms = x.square().sum(1)
    return (norms[:, None] + norms - 2 * x @ x.T).clamp_min(0)


def unit_gamma(distances: Array) -> float:
    """1 / the median of the squared distances of rows that differ; 1 where none do."""
    distances = distances[distances > 0]
    return float(1 / np.median(distances)) if len(distances) else 1.0
