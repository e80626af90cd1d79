"""A convex quadratic programme in a box and a band, by a primal-dual interior point (Mehrotra, 1992).

    min_w  1/2 w'K w - q'w     where  G w + s = h,  s >= 0:   w <= B,  -w <= 0,  sum w <= high,  -sum w <= -low

Each of some twenty steps factors K + G'D G, which can be factored where K itself, a smooth kernel, cannot. The best
iterate is kept: once s'z is at rounding error, steps make things worse.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, cast

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from headstart.linalg.moments import blocks
from headstart.tasks.task import Array

__all__ = ["Factored", "solve_programme"]

CLOSE = 1e-10
PATIENCE = 10
JITTER = 1e-14
NARROWEST = 1e-6


class Factored(NamedTuple):
    """K = phi phi' by its factor phi (n, p)."""

    phi: Array

    def __matmul__(self, w: Array) -> Array:
        return cast(Array, self.phi @ (self.phi.T @ w))


def solve_programme(K: Array | Factored, q: Array, bound: float, band: tuple[float, float]) -> Array:
    """w (n,) of K (n, n), positive semi-definite, and q (n,). Takes the memory of a second K; of a factor, of none.

    Raises ValueError where the box and the band have no point in common.
    """
    n = len(q)
    low, high = band
    if low > bound * n:
        raise ValueError(f"{n} weights of at most {bound:g} cannot add up to {low:g}: expected a bound of at least 1")
    high = max(high, low + NARROWEST * n)
    h = np.concatenate([np.full(n, bound), np.zeros(n), [high, -low]])
    w = np.full(n, min(1.0, bound / 2))
    s = np.maximum(h - _rise(w), 0.1)
    z = np.full(len(h), 1.0 + float(np.abs(K @ w - q).mean()))
    best, nearest, since = w, np.inf, 0
    while since < PATIENCE and nearest > CLOSE:
        Kw = K @ w
        dual, primal = Kw - q + _fall(z), _rise(w) + s - h
        size = 1.0 + abs(float(w @ (Kw / 2 - q)))
        off = max(float(s @ z) / size, float(np.abs(primal).max()) / n, float(np.abs(dual).max()) / size)
        best, nearest, since = (w, off, 0) if off < nearest else (best, nearest, since + 1)
        w, s, z = _step(K, (w, s, z), (dual, primal))
    return cast(Array, np.clip(best, 0.0, bound))


def _step(K: Array | Factored, at: tuple[Array, Array, Array], off: tuple[Array, Array]) -> tuple[Array, Array, Array]:
    """A predictor without centring, then the corrector that it asks for, with one factorisation."""
    w, s, z = at
    dual, primal = off
    solved = _solver(K, z / s)

    def towards(product: Array) -> tuple[Array, Array, Array]:
        dw = solved(-dual - _fall((z * primal - product) / s))
        ds = -primal - _rise(dw)
        return dw, ds, -(product + z * ds) / s

    _, ds, dz = towards(s * z)
    mean = float(s @ z) / len(s)
    a = _room(s, ds, z, dz)
    ahead = float((s + a * ds) @ (z + a * dz)) / len(s)
    dw, ds, dz = towards(s * z + ds * dz - mean * (ahead / mean) ** 3)
    a = 0.995 * _room(s, ds, z, dz)
    return w + a * dw, s + a * ds, z + a * dz


def _rise(w: Array) -> Array:
    """G w."""
    return np.concatenate([w, -w, [w.sum(), -w.sum()]])


def _fall(z: Array) -> Array:
    """G' z."""
    n = (len(z) - 2) // 2
    return cast(Array, z[:n] - z[n : 2 * n] + (z[-2] - z[-1]))


def _solver(K: Array | Factored, d: Array) -> Callable[[Array], Array]:
    """(K + G'D G)^-1, the sum's rows apart (Sherman and Morrison, 1950): their weight grows without end."""
    n = (len(d) - 2) // 2
    e = d[:n] + d[n : 2 * n] + JITTER * n
    inverse = _factored(K.phi, e) if isinstance(K, Factored) else _dense(K, e)
    ones, heavy = inverse(np.ones(n)), d[-2] + d[-1]

    def solved(right: Array) -> Array:
        x = inverse(right)
        return cast(Array, x - ones * (x.sum() / (1 / heavy + ones.sum())))

    return solved


def _dense(K: Array, e: Array) -> Callable[[Array], Array]:
    """(K + diag e)^-1."""
    M = K.copy()
    M[np.diag_indices(len(M))] += e
    factor = cho_factor(M.T, lower=True, overwrite_a=True, check_finite=False)
    return lambda right: cast(Array, cho_solve(factor, right, check_finite=False))


def _factored(phi: Array, e: Array) -> Callable[[Array], Array]:
    """(phi phi' + diag e)^-1 from p x p (Woodbury, 1950), and once more on what is left: e has many magnitudes."""
    M = np.eye(phi.shape[1])
    for part in blocks(len(phi)):
        M += phi[part].T @ (phi[part] / e[part, None])
    factor = cho_factor(M, lower=True, overwrite_a=True, check_finite=False)

    def once(right: Array) -> Array:
        x = right / e
        return cast(Array, x - phi @ cho_solve(factor, phi.T @ x, check_finite=False) / e)

    def inverse(right: Array) -> Array:
        x = once(right)
        return x + once(right - e * x - phi @ (phi.T @ x))

    return inverse


def _room(s: Array, ds: Array, z: Array, dz: Array) -> float:
    """The longest step, of at most 1, on which s and z stay positive."""
    x, dx = np.concatenate([s, z]), np.concatenate([ds, dz])
    down = dx < 0
    return min(1.0, float((x[down] / -dx[down]).min())) if down.any() else 1.0
