"""The two principal components of some rows, by subspace iteration (Halko et al., 2011, algorithm 4.4)."""

from __future__ import annotations

import numpy as np

from headstart.linalg.blas import one_thread
from headstart.tasks.task import Array

__all__ = ["two_components"]

_WIDTH, _STEPS = 8, 6


def two_components(rows: Array, seed: int = 0) -> tuple[Array, float]:
    """(N, D) -> (N, 2) places on the two directions of the largest variance, and the share of the variance there.

    The sign of each direction is that in which its largest part is positive. A component without variance is 0; the
    share is 0 where the rows do not vary.
    """
    with one_thread():
        centred = np.asarray(rows, np.float32) - np.mean(rows, axis=0, dtype=np.float64).astype(np.float32)
        total = float(np.einsum("ij,ij->", centred, centred, dtype=np.float64))
        if not total:
            return np.zeros((len(centred), 2)), 0.0
        width = min(_WIDTH, *centred.shape)
        basis = np.random.default_rng(seed).standard_normal((centred.shape[1], width)).astype(np.float32)
        for _ in range(_STEPS):
            basis = np.linalg.qr(centred.T @ (centred @ basis))[0]
        left, sizes, right = np.linalg.svd(centred @ basis, full_matrices=False)
        directions = basis @ right.T
    places = np.zeros((len(centred), 2))
    for column in range(min(2, width)):
        largest = directions[np.argmax(np.abs(directions[:, column])), column]
        places[:, column] = left[:, column] * sizes[column] * (1 if largest >= 0 else -1)
    return places, min(1.0, float((sizes[:2].astype(np.float64) ** 2).sum() / total))
