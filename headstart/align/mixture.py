"""The shares of a mixture whose parts are known, by expectation-maximisation (Dempster, Laird and Rubin, 1977).

    pi_l <- mean_j  pi_l r_jl / sum_k pi_k r_jk        for the greatest  mean_j log sum_l pi_l r_jl

The likelihood is concave in pi and never falls; it is at most max_l (new pi_l / pi_l) - 1 short of its greatest value.
"""

from __future__ import annotations

import numpy as np

from headstart.data.task import Array

__all__ = ["mixture_shares"]

STEPS = 2000


def mixture_shares(r: Array, counts: Array | None = None, *, start: Array | None = None, short: float = 1e-5) -> Array:
    """(parts,) of densities r (rows, parts), non-negative. Rows of density 0 under every part are left out.

    counts   (rows,) how often each row is there; None: once
    start    (parts,) shares to start from, positive, for a share of 0 stays 0; None: all alike
    short    how far the mean log likelihood may be below its greatest value
    """
    kept = r.max(axis=1) > 0
    r = r[kept]
    counts = np.ones(len(r)) if counts is None else counts[kept]
    share = counts / max(counts.sum(), 1.0)
    pi = np.full(r.shape[1], 1 / r.shape[1]) if start is None else start
    for _ in range(STEPS if share.any() else 0):
        rise = (share / (r @ pi)) @ r
        pi = pi * rise
        pi /= pi.sum()
        if rise.max() - 1 <= short:
            break
    return pi
