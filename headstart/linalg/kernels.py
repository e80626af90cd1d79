"""Kernels between rows, and the rows that a kernel stands on."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.spatial.distance import pdist

from headstart.linalg import gaussian
from headstart.linalg.distances import apart, unit_gamma
from headstart.tasks.task import Array

__all__ = ["Kernel", "kernel", "landmarks", "width"]

Kernel = Literal["rbf", "linear", "cosine"]


def kernel(name: Kernel, rows: Array, z: Array, gamma: float) -> Array:
    """k(x, z): (n, d), (p, d) -> (n, p). "rbf": exp(-gamma |x - z|^2), "linear": x . z, "cosine": of unit rows."""
    if name == "rbf":
        return gaussian.kernel(apart(rows, z), gamma)
    if name == "cosine":
        rows, z = _unit(rows), _unit(z)
    return np.asarray(rows @ z.T)


def landmarks(source: Array, target: Array, most: int, seed: int) -> Array:
    """All rows, or `most` of them drawn, as near to half from each task as there are rows."""
    n, m = len(source), len(target)
    if n + m <= most:
        return np.concatenate([source, target])
    count = min(n, max(most - m, most // 2))
    draw = np.random.default_rng(seed)
    chosen = [draw.choice(n, count, replace=False), draw.choice(m, most - count, replace=False)]
    return np.concatenate([source[np.sort(chosen[0])], target[np.sort(chosen[1])]])


def width(z: Array) -> float:
    """1 / median squared distance between rows that differ; 1 where none do."""
    return unit_gamma(pdist(z, "sqeuclidean"))


def _unit(rows: Array) -> Array:
    """Rows of length 1; a row of zeros stays."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1.0))
