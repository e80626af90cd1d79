"""SFDA: how well a regularised Fisher discriminant tells classes apart that were made harder (Shao et al., 2022).

    S~ = (1 - l) S + l tr(S) / D I,   l = max(exp(-5 s), 1e-10),   s = largest eigenvalue of S               (Reg-FDA)
    d_c(x) = x' S~^-1 m_c - m_c' S~^-1 m_c / 2 + log(n_c / N),   p(c | x) = softmax_c d_c(x)
    x^ = h x + (1 - h) m_{not y},   h = softmax_c(p(. | x)) at the class y of the row                        (ConfMix)
    SFDA = mean_i p^(y_i | x^_i),   p^ from a second discriminant of the x^_i, with the same l

S is the covariance within classes, m_{not y} the mean of the other classes' means. All directions of the Fisher space
say the same of p as its C - 1 leading ones, so that no eigenvectors are needed. The paper takes the mean of log p^; its
code, and this, that of p^, which stays finite where a row is hopeless.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse.linalg import eigsh
from scipy.special import softmax

from headstart.automl.checks import Classes, class_codes
from headstart.automl.decomposition import Features, decompose
from headstart.linalg.blas import one_thread
from headstart.tasks.task import Array

__all__ = ["sfda"]

SHARP, LEAST = 5.0, 1e-10
FEW = 256
ROUNDING = 10 * float(np.finfo(np.float64).eps)


def sfda(features: Features, targets: npt.ArrayLike) -> float:
    """From 0 to 1, of features (N, D) and class labels (N,). Higher is better. Depends on the scale of the features."""
    parts = decompose(features)
    classes = class_codes(targets, len(parts))
    if not parts.squares.size:
        return float(np.square(classes.counts / len(parts)).sum())
    rows, own = parts.rows, (np.arange(len(parts)), classes.codes)
    with one_thread():
        within = _within(rows, classes)
        shrinkage = _shrinkage(within, parts.width)
        h = softmax(_probabilities(rows, within, classes, shrinkage, parts.width), axis=1)[own][:, None]
        means = classes.means(rows)
        others = (means.sum(axis=0) - means) / (len(means) - 1)
        mixed = h * rows + (1 - h) * others[classes.codes]
        return float(_probabilities(mixed, _within(mixed, classes), classes, shrinkage, parts.width)[own].mean())


def _within(rows: Array, classes: Classes) -> Array:
    """(K, K) the covariance within classes, over N."""
    difference = rows - classes.means(rows)[classes.codes]
    return np.asarray(difference.T @ difference / len(rows))


def _shrinkage(within: Array, width: int) -> float:
    """l, and no less than a matrix needs to be solved with."""
    trace = float(np.trace(within))
    if trace == 0:
        return 1.0
    if len(within) <= FEW:
        largest = float(np.linalg.eigvalsh(within)[-1])
    else:
        largest = float(eigsh(within, k=1, v0=np.diag(within), tol=1e-6, return_eigenvectors=False)[0])
    return max(float(np.exp(-SHARP * largest)), LEAST, ROUNDING * len(within) * largest * width / trace)


def _probabilities(rows: Array, within: Array, classes: Classes, shrinkage: float, width: int) -> Array:
    """(N, C) p(c | x) by the discriminant of these rows; of classes that do not vary within, by the nearest mean."""
    means = classes.means(rows)
    unit = max(float(np.trace(within)), LEAST * float(np.square(rows).mean(axis=0).sum())) / width
    shrunk = (1 - shrinkage) * within
    shrunk[np.diag_indices(len(shrunk))] += shrinkage * unit
    towards = cho_solve(cho_factor(shrunk, lower=True, overwrite_a=True, check_finite=False), means.T)
    scores = rows @ towards - np.einsum("ck,kc->c", means, towards) / 2 + np.log(classes.counts / len(rows))
    return np.asarray(softmax(scores, axis=1))
