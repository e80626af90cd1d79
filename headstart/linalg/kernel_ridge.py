"""A kernel ridge that stands on some rows (Nystroem; Williams and Seeger, 2001), for answers that change.

f = mean + Phi (Phi'Phi / m + penalty K)^-1 Phi'(y - mean) / m,     Phi = k(z_j, c_l),  K = k(c_k, c_l)
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from headstart.linalg.kernels import kernel, width
from headstart.linalg.moments import blocks
from headstart.tasks.task import Array

__all__ = ["landmark_ridge"]

JITTER = 1e-9


def landmark_ridge(rows: Array, centres: Array, penalty: float) -> Callable[[Array], Array]:
    """Of rows (m, d) and centres (p, d): answers (m, k) -> what f says of the same rows (m, k). No m x p is held."""
    gamma = width(centres)

    def phi(part: slice) -> Array:
        return kernel("rbf", rows[part], centres, gamma)

    normal = penalty * kernel("rbf", centres, centres, gamma) + JITTER * np.eye(len(centres))
    for part in blocks(len(rows)):
        features = phi(part)
        normal += features.T @ features / len(rows)
    factor = cho_factor(normal)

    def fit(answers: Array) -> Array:
        mean, predictions = answers.mean(0), np.empty(answers.shape)
        right = sum(phi(part).T @ (answers[part] - mean) for part in blocks(len(rows))) / len(rows)
        solved = cho_solve(factor, right)
        for part in blocks(len(rows)):
            predictions[part] = mean + phi(part) @ solved
        return predictions

    return fit
