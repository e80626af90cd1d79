"""A convex quadratic programme in a box and a band, by a primal-dual interior point (Mehrotra, 1992).

    min_w  1/2 w'K w - q'w     where  G w + s = h,  s >= 0:   w <= B,  -w <= 0,  sum w <= high,  -sum w <= -low

Each of some twenty steps factors K + G'D G, which can be factored where K itself, a smooth kernel, cannot. The best
iterate is kept: once s'z is at rounding error, steps make things worse.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from headstart.data.task import Array

__all__ = ["solve_programme"]

CLOSE = 1e-10
PATIENCE = 10
JITTER = 1e-14
NARROWEST = 1e-6


def solve_programme(K: Array, q: Array, bound: float, band: tuple[float, float]) -> Array:
    """w (n,) of K (n, n), positive semi-definite, and q (n,). Takes the memory of a second K.

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


def _step(K: Array, at: tuple[Array, Array, Array], off: tuple[Array, Array]) -> tuple[Array, Array, Array]:
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


def _solver(K: Array, d: Array) -> Callable[[Array], Array]:
    """(K + G'D G)^-1, the sum's rows apart (Sherman and Morrison, 1950): their weight grows without end."""
    n = len(K)
    M = K.copy()
    M[np.diag_indices(n)] += d[:n] + d[n : 2 * n] + JITTER * n
    factor = cho_factor(M.T, lower=True, overwrite_a=True, check_finite=False)
    ones = cho_solve(factor, np.ones(n), check_finite=False)
    heavy = d[-2] + d[-1]

    def solved(right: Array) -> Array:
        x = cho_solve(factor, right, check_finite=False)
        return cast(Array, x - ones * (x.sum() / (1 / heavy + ones.sum())))

    return solved


def _room(s: Array, ds: Array, z: Array, dz: Array) -> float:
    """The longest step, of at most 1, on which s and z stay positive."""
    x, dx = np.concatenate([s, z]), np.concatenate([ds, dz])
    down = dx < 0
    return min(1.0, float((x[down] / -dx[down]).min())) if down.any() else 1.0
