"""The shares of a mixture whose parts are known: the likeliest, by Newton steps (after Wang, 2007).

    max_pi  L = mean_j log f_j,   f_j = sum_l pi_l r_jl       where  pi >= 0,  sum pi = 1
    g_l = mean_j r_jl / f_j,      H = mean_j r_j r_j' / f_j^2
    pi <- argmin over t >= 0 of   t'(H + stiff I) t / 2 - t'(2 g - 1 + stiff pi),       as far as L rises

L is concave, and at most max_l g_l - 1 short of its greatest value. Only parts with a share, or with g_l > 1, are in a
step, at first the few that promise most, and more of them where these do not do. Where no step helps, `stiff` grows,
and pi_l <- pi_l g_l (expectation-maximisation; Dempster et al., 1977).
"""

from __future__ import annotations

import numpy as np

from headstart.linalg.moments import blocks
from headstart.tasks.task import Array

__all__ = ["mixture_shares"]

STEPS = 2000
FIRST = 2
FEW = 64
STIFF = 1e-10
GREAT = 1e140
HALVINGS = 8
TURNS = 20


def mixture_shares(r: Array, counts: Array | None = None, *, start: Array | None = None, short: float = 1e-5) -> Array:
    """(parts,) of densities r (rows, parts), non-negative. Rows of density 0 under every part are left out.

    counts   (rows,) how often each row is there; None: once
    start    (parts,) shares to start from, under which every row has a density; None: all alike
    short    how far the mean log likelihood may be below its greatest value
    """
    counts = np.ones(len(r)) if counts is None else counts
    possible = (r.max(axis=1) > 0) & (counts > 0)
    r, counts = (r, counts) if possible.all() else (r[possible], counts[possible])
    share = counts / max(counts.sum(), 1.0)
    pi = np.full(r.shape[1], 1 / r.shape[1]) if start is None else start / start.sum()
    f, stiff, most, first = r @ pi, STIFF, FEW, FIRST if start is None else 0
    for step in range(STEPS if len(r) else 0):
        g = (share / f) @ r
        if g.max() - 1 <= short:
            break
        at = pi, f, g
        risen = None if step < first else _risen(r, share, at, _towards(r, share, at, stiff, most))
        stuck = risen is None and step >= first
        stiff = max(stiff * 100 if stuck else stiff / 10, STIFF)
        pi = pi * g / (pi @ g) if risen is None else risen
        most *= 2 if stuck or (2 * np.count_nonzero(pi) > most and step >= first) else 1
        f = r @ pi
    return pi


def _towards(r: Array, share: Array, at: tuple[Array, Array, Array], stiff: float, most: int) -> Array:
    """(parts,) t of the step, of at most so many parts. Those that come out below 0 are left out, and the others found
    anew."""
    pi, f, g = at
    parts = np.flatnonzero((pi > 0) | (g > 1))
    if len(parts) > most:
        promise = pi * g * len(pi) + np.maximum(g - 1, 0)
        parts = np.sort(parts[np.argpartition(-promise[parts], most)[:most]])
    H = np.zeros((len(parts),) * 2)
    for rows in blocks(len(r)):
        s = r[rows][:, parts] * (np.sqrt(share[rows]) / f[rows])[:, None]
        s = np.minimum(s, GREAT, out=s)
        H += s.T @ s
    stiff = stiff * max(float(np.trace(H)) / len(parts), 1.0)
    H[np.diag_indices(len(parts))] += stiff
    right = 2 * g[parts] - 1 + stiff * pi[parts]
    inside, t = np.arange(len(parts)), np.zeros(len(pi))
    for _ in range(TURNS):
        solution = np.linalg.solve(H[np.ix_(inside, inside)], right[inside])
        if (solution >= 0).all() or not (solution > 0).any():
            break
        inside = inside[solution > 0]
    t[parts[inside]] = np.maximum(solution, 0)
    return t


def _risen(r: Array, share: Array, at: tuple[Array, Array, Array], t: Array) -> Array | None:
    """Shares on the way from pi to t at which L has risen, the whole way first; None: there are none."""
    pi, f, g = at
    if not 0 < t.sum() < np.inf:
        return None
    way = t / t.sum() - pi
    rise, before, df = float(g @ way), float(share @ np.log(f)), r @ way
    for a in 0.5 ** np.arange(HALVINGS) if rise > 0 else ():
        ahead = f + a * df
        if ahead.min() > 0 and share @ np.log(ahead) >= before + 1e-4 * a * rise:
            return np.asarray(np.maximum(pi + a * way, 0))
    return None
