"""GBC: how far the classes overlap, as Gaussians (Pandy et al., 2022).

    GBC       = -sum_{c != k} exp(-D_B(c, k))                                                     over ordered pairs
    D_B(c, k) = (m_c - m_k)' S^-1 (m_c - m_k) / 8 + log(|S| / sqrt(|S_c| |S_k|)) / 2,    S = (S_c + S_k) / 2

S_c is spherical, s_c^2 I, or diagonal. As in the paper features are first reduced to 64 principal axes, where there are
more of them. A variance is at least 1e-4 of the mean variance of the features, so that classes of one row have one.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from headstart.automl.checks import Classes, class_codes
from headstart.automl.decomposition import Decomposition, Features, decompose
from headstart.checks import one_of, whole
from headstart.linalg.blas import one_thread
from headstart.tasks.task import Array

__all__ = ["gbc"]

LEAST = 1e-4


def gbc(
    features: Features,
    targets: npt.ArrayLike,
    *,
    covariance: Literal["spherical", "diagonal"] = "spherical",
    axes: int = 64,
) -> float:
    """At most 0, at least -C (C - 1), of features (N, D) and class labels (N,). Higher is better."""
    one_of("covariance", covariance, ("spherical", "diagonal"))
    whole("axes", axes, 1, "64")
    parts = decompose(features)
    classes = class_codes(targets, len(parts))
    if not parts.squares.size:
        return -float(len(classes.counts) * (len(classes.counts) - 1))
    with one_thread():
        means, variances, weight = _gaussians(parts, classes, covariance, axes)
        total = sum(_overlaps(c, means, variances, weight) for c in range(len(means)))
    return -total


def _gaussians(parts: Decomposition, classes: Classes, covariance: str, axes: int) -> tuple[Array, Array, int]:
    """Means (C, d), variances (C, d) or spherical (C, 1), and for how many columns each variance stands."""
    wide = parts.width > axes
    rows = parts.rows[:, :axes] if wide else parts.centred
    width = axes if wide else parts.width
    means = classes.means(rows)
    variances = classes.means(np.square(rows - means[classes.codes]))
    least = LEAST * float(np.square(rows).sum()) / (len(rows) * width)
    if covariance == "spherical":
        return means, np.maximum(variances.sum(axis=1, keepdims=True) / width, least), width
    return means, np.maximum(variances, least), 1


def _overlaps(c: int, means: Array, variances: Array, weight: int) -> float:
    """sum_k exp(-D_B(c, k)) over the other classes."""
    middle = (variances + variances[c]) / 2
    distances = (np.square(means - means[c]) / middle).sum(axis=1) / 8
    distances += weight / 2 * np.log(middle / np.sqrt(variances * variances[c])).sum(axis=1)
    return float(np.exp(-np.delete(distances, c)).sum())
