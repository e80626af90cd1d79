"""What a model costs on target rows, from its losses on source rows that it did not see and the density ratio there.

    IWV = mean_i w_i l_i                          importance-weighted validation (Sugiyama, Krauledat and Mueller, 2007)
    DEV = mean_i w_i l_i + eta (mean_i w_i - 1)   deep embedded validation (You, Wang, Long and Jordan, 2019)
    eta = -Cov(w l, w) / Var(w),    w(x) = q(x) / p(x),  q the target's density and p the source's

Both hold where P(y | x) is the source's and the source covers the target (covariate shift), in the space that w was
taken in: of a model that moves the features, after the move. Not where P(y | x) moved. Weights scaled to mean 1 leave
no control variate: DEV is then IWV.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from headstart.adaptation.scorers.checks import codes_of, finite, probabilities, weights_of
from headstart.checks import one_of
from headstart.tasks.task import Array

__all__ = ["Loss", "dev", "importance_weighted", "losses"]

Loss = Literal["log", "error", "square"]
_LEAST = 1e-15


def losses(y: Array, p_source: Array, loss: Loss = "log") -> Array:
    """(n,) what each source answer costs.

    p_source  of source rows by models that did not see them: probabilities (n, C) for "log", -log p[y] in nats with
              p at least 1e-15, and "error", 1 where the likeliest class is another; values (n,) for "square"
    Raises ValueError for other shapes, codes, probabilities and losses
    """
    one_of("loss", loss, get_args(Loss))
    if loss == "square":
        predictions, y = finite("p_source", p_source, 1), finite("y", y, 1)
        if len(y) != len(predictions):
            raise ValueError(f"y has {len(y)} rows and p_source {len(predictions)}: expected one answer a row")
        return np.asarray((predictions - y) ** 2)
    p = probabilities("p_source", p_source)
    codes = codes_of("y", y, *p.shape)
    if loss == "error":
        return np.asarray(p.argmax(axis=1) != codes, dtype=np.float64)
    return np.asarray(-np.log(np.maximum(p[np.arange(len(p)), codes], _LEAST)))


def importance_weighted(y: Array, p_source: Array, weights: Array, loss: Loss = "log") -> float:
    """IWV, by `losses` and density ratios (n,) of the source rows. Raises ValueError as `losses`, and for weights."""
    cost = losses(y, p_source, loss)
    return float(np.mean(weights_of(weights, len(cost)) * cost))


def dev(y: Array, p_source: Array, weights: Array, loss: Loss = "log") -> float:
    """DEV, by `losses` and density ratios (n,) of the source rows, not scaled. Raises ValueError as `losses` does."""
    cost = losses(y, p_source, loss)
    w = weights_of(weights, len(cost))
    off = w - w.mean()
    variance = float(np.mean(off**2))
    eta = -float(np.mean(off * w * cost)) / variance if variance > 0 else 0.0
    return float(np.mean(w * cost)) + eta * (float(w.mean()) - 1)
