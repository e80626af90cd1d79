"""Logistic regression drawn to given parameters, by L-BFGS from them."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning

from headstart.heads.likelihood import Likelihood
from headstart.tasks.task import Array

__all__ = ["logits", "pulled"]


def logits(scores: Array) -> Array:
    """One score is that of the second of two classes over the first."""
    return np.hstack([np.zeros_like(scores), scores]) if scores.shape[1] == 1 else scores


def pulled(
    rows: Array, hot: Array, start: tuple[Array, Array], penalty: float, steps: int = 5000
) -> tuple[Array, Array]:
    """W and its intercepts from W0 (d, k) and b0 (k,), each column in units in which its curvature is near one.

    hot: (m, C) of 0 and 1. Warns (ConvergenceWarning) where the gradient is far from nought after so many steps.
    """
    W0, b0 = start
    if np.isinf(penalty):
        return W0, b0
    curvature = penalty + np.append(np.einsum("ij,ij->j", rows, rows), len(rows)) / 4
    unit = 1 / np.sqrt(np.where(curvature > 0, curvature, 1.0))[:, None]
    likelihood = Likelihood(hot[:, -len(b0) :].T[:, None], np.ones((1, len(rows))))

    def loss(flat: Array) -> tuple[float, Array]:
        change = unit * flat.reshape(-1, len(b0))
        value, p = likelihood.value((rows @ (W0 + change[:-1]) + b0 + change[-1]).T[:, None])
        error = likelihood.residual(p)[:, 0].T
        gradient = np.vstack([rows.T @ error, error.sum(0)]) + penalty * change
        return float(value[0]) + penalty * (change**2).sum() / 2, (unit * gradient).ravel()

    begin = np.zeros((rows.shape[1] + 1) * len(b0))
    minimum = minimize(
        loss,
        begin,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": steps, "maxfun": 2 * steps, "gtol": 1e-8, "ftol": 1e-15},
    )
    if not np.abs(minimum.jac).max() <= 1e-3 * np.sqrt(len(rows)):
        warnings.warn(
            f"the logistic regression has not settled after {minimum.nit} steps: put the columns on one scale with "
            "StandardScaler(), or raise the penalty",
            ConvergenceWarning,
            stacklevel=3,
        )
    change = unit * minimum.x.reshape(-1, len(b0))
    return W0 + change[:-1], b0 + change[-1]
