"""The log loss of classes for many problems at once, and its curvature in a plane.

Arrays of logits are (G, P, N): a group of G logits that one softmax joins, P problems, N rows. G = 1 is the sigmoid:
two classes, or one label of several. The class axis comes first so that sums over classes run along memory.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import log_softmax

from headstart.tasks.task import Array

__all__ = ["Likelihood", "code_losses"]


class Likelihood(NamedTuple):
    """truth (G, P or 1, N) of 0 and 1; weights (P, N): what each row counts in each problem, 0 where it is held out."""

    truth: Array
    weights: Array

    def value(self, logits: Array) -> tuple[Array, Array]:
        """Logits -> the weighted sum of log losses, (P,) float64, and the probabilities (G, P, N)."""
        if len(logits) == 1:
            e = np.exp(-np.abs(logits))
            p = np.where(logits >= 0, 1, e) / (1 + e)
            losses = (np.maximum(logits, 0) + np.log1p(e) - self.truth * logits)[0]
        else:
            top = logits.max(axis=0)
            p = np.exp(logits - top)
            total = p.sum(axis=0)
            p /= total
            losses = np.log(total) + top - np.einsum("gpn,gpn->pn", np.broadcast_to(self.truth, p.shape), logits)
        return np.einsum("pn,pn->p", losses, self.weights, dtype=np.float64), p

    def residual(self, p: Array) -> Array:
        """The derivative of the value by each logit, (G, P, N)."""
        residual = p - self.truth
        residual *= self.weights
        return np.asarray(residual)

    def spread(self, p: Array) -> Array:
        """(G, P) the weighted sum of p (1 - p): how far the value bends along each logit alone."""
        return np.asarray(np.einsum("gpn,gpn,pn->gp", p, 1 - p, self.weights))

    def bends(self, p: Array, u: Array, d: Array) -> Array:
        """(P, 2, 2) second derivatives of the value in the plane of two directions (G, P, N) of the logits."""
        pu, pd = p * u, p * d
        mean_u, mean_d = pu.sum(axis=0), pd.sum(axis=0)
        uu = np.einsum("gpn,gpn->pn", pu, u) - mean_u * mean_u
        ud = np.einsum("gpn,gpn->pn", pu, d) - mean_u * mean_d
        dd = np.einsum("gpn,gpn->pn", pd, d) - mean_d * mean_d
        entries = [np.einsum("pn,pn->p", variance, self.weights, dtype=np.float64) for variance in (uu, ud, ud, dd)]
        return np.stack(entries, axis=-1).reshape(-1, 2, 2)


def code_losses(logits: Array, codes: Array) -> Array:
    """(N,) -log softmax(z)[y] in nats: of logits (N, C) as they stand, one class code (N,) a row."""
    return np.asarray(-log_softmax(logits, axis=1)[np.arange(len(logits)), codes])
