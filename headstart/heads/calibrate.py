"""Temperature scaling: one number that makes a head's probabilities honest (Guo et al., 2017, section 4.2).

    T = argmin  mean_i  w_i  -log softmax(z_i / T)[y_i]          over logits z_i that did not see row i

The logits of ridge and prototypes carry no scale of their own, and those of a logistic head are too sure where N < D;
the temperature settles both. The loss is convex in 1 / T. Where the rows are separable it falls for ever as T -> 0;
there T stops at the rule of succession (Laplace, 1814): n right answers of n support a probability of
(n + 1) / (n + 2) and no more. With class weights the probabilities are those of a population weighted likewise.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq

from headstart.heads.likelihood import code_losses
from headstart.tasks.task import Array, Kind

__all__ = ["Calibration", "calibrate", "log_loss", "row_log_losses"]

WIDEST = 1e4
STEPS = 60


class Calibration(NamedTuple):
    """The temperature, and the loss at it: mean log loss in nats."""

    temperature: float
    loss: float


def log_loss(logits: Array, targets: Array, kind: Kind, weights: Array | None = None) -> float:
    """Mean log loss (nats) of logits (N, C) as they stand. Arguments as in `calibrate`."""
    against, counts = _against(np.asarray(logits, dtype=np.float64), targets, kind, weights)
    return _moments(1.0, against, counts)[0]


def row_log_losses(logits: Array, targets: Array, kind: Kind, weights: Array) -> tuple[Array, Array]:
    """(N,) log loss of each row, the weighted mean over its labels where it has several; (N,) weights that sum to 1."""
    logits = np.asarray(logits, dtype=np.float64)
    if kind.exclusive:
        losses = code_losses(logits, np.asarray(targets))
        return losses, weights / max(weights.sum(), np.finfo(np.float64).tiny)
    weights = np.broadcast_to(weights if weights.ndim == 2 else weights[:, None], logits.shape)
    each = np.logaddexp(0.0, np.where(np.asarray(targets) > 0, -logits, logits))
    total = weights.sum(axis=1)
    losses = (each * weights).sum(axis=1) / np.where(total > 0, total, 1.0)
    return losses, total / max(total.sum(), np.finfo(np.float64).tiny)


def calibrate(logits: Array, targets: Array, kind: Kind, weights: Array | None = None) -> Calibration:
    """The temperature of out-of-fold logits (N, C); targets as in `Task`, classification or multilabel.

    weights   (N,) for classification, (N,) or (N, C) for multilabel; those of weight 0 are left out. Where nothing is
              left, or the logits tell nothing apart, T is 1
    """
    if not kind.has_classes:
        raise ValueError("a temperature belongs to probabilities, and kind is 'regression': use the values as they are")
    against, counts = _against(np.asarray(logits, dtype=np.float64), targets, kind, weights)
    spread = float(np.sqrt(np.mean(np.square(against)))) if against.size else 0.0
    if spread == 0.0:
        return Calibration(1.0, float(np.log(len(against))) if len(against) else 0.0)
    against /= spread
    inverse, loss = _minimise(against, counts)
    least = float(np.log1p(1 / (counts.size + 1)))
    if loss < least:
        inverse = float(brentq(lambda b: _moments(b, against, counts)[0] - least, 0.0, inverse))
        loss = least
    return Calibration(spread / inverse, loss)


def _against(logits: Array, targets: Array, kind: Kind, weights: Array | None) -> tuple[Array, Array]:
    """(C, M) how far each class's logit stands above the true one's, and the M weights, which sum to 1."""
    weights = np.ones(len(logits)) if weights is None else weights
    if kind.exclusive:
        counted = weights > 0
        logits, codes, weights = logits[counted], np.asarray(targets, dtype=np.int64)[counted], weights[counted]
        against = logits.T - logits[np.arange(len(codes)), codes]
    else:
        weights = np.broadcast_to(weights if weights.ndim == 2 else weights[:, None], logits.shape)
        counted = weights > 0
        wrong = np.where(np.asarray(targets) > 0, -logits, logits)[counted]
        against, weights = np.stack([np.zeros_like(wrong), wrong]), weights[counted]
    return np.ascontiguousarray(against), weights / max(weights.sum(), np.finfo(np.float64).tiny)


def _moments(inverse: float, against: Array, weights: Array) -> tuple[float, float, float]:
    """Mean log loss at 1 / T = inverse, and its first two derivatives by 1 / T."""
    scaled = inverse * against
    top = scaled.max(axis=0)
    p = np.exp(scaled - top)
    total = p.sum(axis=0)
    p /= total
    first = np.einsum("cn,cn->n", p, against)
    second = np.einsum("cn,cn,cn->n", p, against, against) - first**2
    return float(weights @ (top + np.log(total))), float(weights @ first), float(weights @ second)


def _minimise(against: Array, weights: Array) -> tuple[float, float]:
    """Newton's method on 1 / T in [1 / WIDEST, WIDEST], by bisection where a step would leave the bracket."""
    low, high, inverse = 1 / WIDEST, WIDEST, 1.0
    loss, slope, bend = _moments(inverse, against, weights)
    for _ in range(STEPS):
        low, high = (low, inverse) if slope > 0 else (inverse, high)
        step = inverse - slope / bend if bend > 0 else 0.0
        following = step if low < step < high else float(np.sqrt(low * high))
        settled = abs(following - inverse) <= 1e-7 * inverse
        inverse = following
        loss, slope, bend = _moments(inverse, against, weights)
        if settled:
            break
    return inverse, loss
