"""H-score: how much of the features' variance, whitened, lies between the classes (Bao et al., 2019).

    H(X, y)   = tr(cov(X)^-1 cov(E[X | y]))
    H_a(X, y) = tr(S_a^-1 (1 - a) cov(E[X | y])),   S_a = (1 - a) cov(X) + a tr(cov(X)) / D I

The second is the shrunk form (Ibrahim, Ponomareva and Mazumder, 2022): a by Ledoit and Wolf (2004), without
which H grows with the number of features, up to C - 1 where N <= D. cov(X) is over N in S_a, and the covariance of the
class means over N - 1, as published. In the axes of the decomposition both need no inverse; the inverse of a singular
covariance is the pseudo-inverse. H is the same for any invertible linear map of the features.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headstart.automl.checks import class_codes
from headstart.automl.decomposition import Decomposition, Features, decompose
from headstart.linalg.blas import one_thread
from headstart.tasks.task import Array

__all__ = ["h_score", "shrunk_h_score"]


def h_score(features: Features, targets: npt.ArrayLike) -> float:
    """Of features (N, D) and class labels (N,): from 0 to C - 1. Higher is better."""
    parts = decompose(features)
    with one_thread():
        return float(_between(parts, targets).sum())


def shrunk_h_score(features: Features, targets: npt.ArrayLike) -> float:
    """The same with a shrunk covariance; also for few rows. Higher is better."""
    parts = decompose(features)
    n = len(parts)
    with one_thread():
        between = _between(parts, targets) * parts.squares / (n - 1)
        shrinkage, unit = _ledoit_wolf(parts)
        shrunk = (1 - shrinkage) * parts.squares / n + shrinkage * unit
        return float((1 - shrinkage) * (between / shrunk).sum())


def _between(parts: Decomposition, targets: npt.ArrayLike) -> Array:
    """(K,) the share of the squares along each axis that lies between the classes."""
    classes = class_codes(targets, len(parts))
    return np.asarray(classes.counts @ np.square(classes.means(parts.left)))


def _ledoit_wolf(parts: Decomposition) -> tuple[float, float]:
    """The shrinkage a, and tr(cov) / D: from the lengths of rows and the squares alone."""
    n, d = len(parts), parts.width
    variances = parts.squares / n
    unit = float(variances.sum() / d)
    spread = float(np.square(variances).sum())
    lengths = np.square(parts.rows).sum(axis=1)
    noise = float(np.square(lengths).mean() - spread) / n
    apart = spread - d * unit**2
    return (min(max(noise, 0.0), apart) / apart if apart > 0 else 0.0), unit
