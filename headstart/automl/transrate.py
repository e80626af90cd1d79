"""TransRate: the mutual information of features and classes, as coding rates (Huang et al., 2022).

    TrR(X, y) = R(X) - R(X | y),    R(X) = log det(I + X'X / (N e)) / 2,    R(X | y) = mean_c R(X_c)

X is centred over all rows, X_c are its rows of class c, e is the distortion. R(X | y) is the plain mean over classes,
as in the published code; with `weighted` each class counts by its share of the rows, n_c / N. The value depends on the
scale of the features: compare features that are scaled alike.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headstart.automl.checks import class_codes
from headstart.automl.decomposition import Features, decompose
from headstart.checks import above
from headstart.linalg.blas import one_thread
from headstart.tasks.task import Array

__all__ = ["transrate"]


def transrate(features: Features, targets: npt.ArrayLike, *, distortion: float = 1e-4, weighted: bool = False) -> float:
    """In nats, of features (N, D) and class labels (N,). Higher is better."""
    above("distortion", distortion, 0, "1e-4")
    parts = decompose(features)
    classes = class_codes(targets, len(parts))
    count = len(classes.counts)
    shares = classes.counts / len(parts) if weighted else np.full(count, 1 / count)
    with one_thread():
        whole = 0.5 * float(np.log1p(parts.squares / (len(parts) * distortion)).sum())
        rates = [_rate(parts.rows[classes.codes == c], distortion) for c in range(count)]
    return whole - float(shares @ rates)


def _rate(rows: Array, distortion: float) -> float:
    """R of the rows of a class, from the smaller of their two Gram matrices."""
    gram = rows @ rows.T if rows.shape[0] < rows.shape[1] else rows.T @ rows
    gram /= len(rows) * distortion
    gram[np.diag_indices(len(gram))] += 1
    return float(np.log(np.diag(np.linalg.cholesky(gram))).sum())
