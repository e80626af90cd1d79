"""The Gaussian kernel k(x, c) = exp(-gamma |x - c|^2), gamma = 1 / (2 sigma^2), between rows and a few centres."""

from __future__ import annotations

import numpy as np

from headstart.linalg.distances import WIDE, squared_distances
from headstart.linalg.moments import blocks
from headstart.tasks.task import Array

__all__ = ["blended_gram", "kernel", "mean_kernel", "median_gamma"]

FEW = 1024
SAMPLE = 1000
CLOSE = 1e-5


def kernel(distances: Array, gamma: float, out: Array | None = None) -> Array:
    """exp(-gamma |x - c|^2), a new array, or in `out`, which may be the distances."""
    values = np.multiply(distances, -gamma, out=out)
    return np.exp(values, out=values)


def median_gamma(source: Array, target: Array, seed: int = 0) -> float:
    """1 / (2 median^2) of the distances between rows of both tasks, from at most 1000 of each; else 1."""
    from scipy.spatial.distance import pdist

    draw = np.random.default_rng(seed)
    few = [
        rows if len(rows) <= SAMPLE else rows[draw.choice(len(rows), SAMPLE, replace=False)]
        for rows in (source, target)
    ]
    rows = np.concatenate(few)
    distances = _distances(rows) if rows.shape[1] >= WIDE else pdist(rows)
    middle = float(np.median(distances))
    if rows.shape[1] >= WIDE and middle <= CLOSE * distances.max():
        distances = pdist(rows)  # a product cannot tell rows so near from the same row
        middle = float(np.median(distances))
    middle = middle or float(distances.mean())
    return 1 / (2 * middle**2) if middle > 0 else 1.0


def _distances(rows: Array) -> Array:
    """Between each two rows, as `pdist` gives them, from one product: many times faster where rows are wide."""
    squares = squared_distances(rows, rows)
    return np.asarray(np.sqrt(np.concatenate([row[i + 1 :] for i, row in enumerate(squares)])))


def mean_kernel(rows: Array, target: Array, gamma: float) -> Array:
    """(n,) mean of k(x_i, z_j) over the target rows, a block of them at a time."""
    total = np.zeros(len(rows))
    for some in blocks(len(target), FEW):
        total += kernel(squared_distances(rows, target[some]), gamma).sum(axis=1)
    return total / len(target)


def blended_gram(p: Array, q: Array, by_p: float, by_q: float) -> Array:
    """(b, b) by_p p'p + by_q q'q of p (n, b) and q (m, b); what counts 0 is not computed."""
    gram = p.T @ p
    gram *= by_p
    if by_q:
        other = q.T @ q
        other *= by_q
        gram += other
    return gram
