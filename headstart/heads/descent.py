"""Memory-gradient descent (Miele and Cantrell, 1969) with a Newton step in the plane, for many problems at once.

    minimise  f(W) = value(R W) + lambda / 2 |W|^2          (no penalty on the last row of W, the intercept)

    u = P g,   P = 1 / (h S^2 + lambda),   h = mean p (1 - p)         the preconditioned gradient
    d <- alpha u + beta d,   W <- W + d                               Newton's step in the plane of u and the last d

In the basis the Hessian is nearly h S^2 + lambda, so that few steps are needed. Logits are linear in W: those of u cost
one matrix product, those of d none, and the gradient another one. There is nothing to tune and hardly a line search.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from headstart.heads.likelihood import Likelihood
from headstart.tasks.task import Array

__all__ = ["HALVINGS", "STEPS", "Minimum", "Objective", "descend", "dot", "newton", "penalty_bends", "times"]

STEPS = 500
HALVINGS = 30


class Objective(NamedTuple):
    """Rows (N, K + 1) of the basis, their squares (K + 1,), a likelihood of P problems, and the penalty (K + 1,)."""

    rows: Array
    squares: Array
    likelihood: Likelihood
    penalty: Array

    def logits(self, w: Array) -> Array:
        """(G, P, K + 1) -> (G, P, N)."""
        # This way round, for OpenBLAS is a third faster where the long matrix is not the transposed one.
        return np.ascontiguousarray((self.rows @ w.reshape(-1, w.shape[-1]).T).T).reshape(*w.shape[:2], -1)

    def gradient(self, w: Array, p: Array) -> Array:
        """Of f at w, where the probabilities are p."""
        residual = self.likelihood.residual(p)
        slope = (residual.reshape(-1, residual.shape[-1]) @ self.rows).reshape(w.shape)
        return np.asarray(slope + self.penalty * w)

    def preconditioner(self, p: Array) -> Array:
        """(G, P, K + 1): one over the diagonal of the Hessian, were p (1 - p) the same in every row."""
        h = self.likelihood.spread(p) / self.squares[-1]
        return np.asarray(1 / np.maximum(h[..., None] * self.squares + self.penalty, 1e-6))


class Minimum(NamedTuple):
    """W (G, P, K + 1), its logits z (G, P, N), what a quadratic model still sees to gain (nats a row), steps made."""

    w: Array
    z: Array
    gap: float
    steps: int


def descend(objective: Objective, start: Array, tolerance: float) -> Minimum:
    """The minimum, from `start`; a problem is left alone once g' P g / 2, a row, is at most `tolerance`."""
    size = objective.likelihood.weights.sum(axis=1, dtype=np.float64)
    w, z = start, objective.logits(start)
    value, p = _value(objective, w, z)
    scale = objective.preconditioner(p)
    d, zd = np.zeros_like(w), np.zeros_like(z)
    for steps in range(STEPS + 1):
        g = objective.gradient(w, p)
        u = -scale * g
        gap = -dot(g, u) / (2 * size)
        if steps == STEPS or (gap <= tolerance).all():
            break
        zu = objective.logits(u)
        bends = objective.likelihood.bends(p, zu, zd) + penalty_bends(objective.penalty, u, d)
        alpha, beta = newton(bends, dot(g, u), dot(g, d)) * (gap > tolerance)
        d, zd = (times(alpha, a) + times(beta, b) for a, b in ((u, d), (zu, zd)))
        share, value, p = _share(objective, (w, d), (z, zd), value)
        d, zd = times(share, d), times(share, zd)
        w, z = w + d, z + zd
    return Minimum(w, z, float(gap.max()), steps)


def _share(objective: Objective, ws: tuple[Array, Array], zs: tuple[Array, Array], before: Array) -> tuple[Array, ...]:
    """How much of the step lowers f: all of it but in rare cases; with the value and the probabilities there."""
    rounding = 8 * np.finfo(ws[0].dtype).eps * np.abs(before)
    share = np.ones(len(before))
    for _ in range(HALVINGS):
        value, p = _value(objective, *(a + times(share, b) for a, b in (ws, zs)))
        worse = value > before + rounding
        if not worse.any():
            break
        share[worse] /= 2
    return share, value, p


def _value(objective: Objective, w: Array, z: Array) -> tuple[Array, Array]:
    value, p = objective.likelihood.value(z)
    return value + dot(w, objective.penalty * w) / 2, p


def newton(bends: Array, slope_u: Array, slope_d: Array) -> Array:
    """(2, P) the minimum of the quadratic model over multiples of u and d; of u alone where the plane is degenerate."""
    uu, ud, dd = bends[:, 0, 0], bends[:, 0, 1], bends[:, 1, 1]
    determinant = uu * dd - ud**2
    flat = determinant <= 1e-6 * uu * dd
    safe = np.where(flat, 1, determinant)
    alpha = np.where(flat, -slope_u / np.maximum(uu, 1e-30), (ud * slope_d - dd * slope_u) / safe)
    beta = np.where(flat, 0, (ud * slope_u - uu * slope_d) / safe)
    return np.stack([alpha, beta])


def penalty_bends(penalty: Array, u: Array, d: Array) -> Array:
    """(P, 2, 2) second derivatives of the penalty in the plane of two directions."""
    entries = [dot(a, penalty * b) for a, b in ((u, u), (u, d), (u, d), (d, d))]
    return np.stack(entries, axis=-1).reshape(-1, 2, 2)


def dot(a: Array, b: Array) -> Array:
    """(G, P, K) and (G, P, K) -> (P,)."""
    return np.asarray(np.einsum("gpk,gpk->p", a, b, dtype=np.float64))


def times(factor: Array, a: Array) -> Array:
    """A number for each problem times (G, P, ...)."""
    return np.asarray(factor.astype(a.dtype)[:, None] * a)
