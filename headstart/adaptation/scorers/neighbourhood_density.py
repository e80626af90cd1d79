"""Soft neighbourhood density (Saito et al., 2021): whether target rows with like answers form dense clusters.

    D_jk = exp(u_j'u_k / T) / sum_{l != j} exp(u_j'u_l / T),   u_j = p_j / |p_j|,  D_jj = 0,  T = .05
    SND  = mean_j -sum_k D_jk log D_jk                         higher is better

Use it where classes are clusters in the target, to compare models on the same rows: it grows with log(m - 1). A model
that gives every row one answer has the greatest value of all, so look at the shares of its answers beside it.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import entr

from headstart.adaptation.reweighting.weights import drawn
from headstart.adaptation.scorers.checks import positive, probabilities
from headstart.linalg.moments import blocks
from headstart.tasks.task import Array

__all__ = ["cost", "neighbourhood_density"]

_AT_ONCE = 256


def cost(rows: int) -> int:
    """Bytes of the m x m similarities. A block of 256 rows of them is held at a time; all of them take the time."""
    return 8 * rows * rows


def neighbourhood_density(
    p_target: Array, *, temperature: float = 0.05, most: int | None = None, limit: float = 2.0, seed: int = 0
) -> float:
    """SND of probabilities (m, C), in nats.

    most   rows to take, drawn by `seed`; None: all
    limit  GB of similarities (8 m^2 bytes; `cost`) above which it refuses: 2 GB are 15,811 rows and some 5 s
    Raises ValueError for fewer than 3 rows, for bad options, and above the limit
    """
    positive("temperature", temperature, "0.05")
    positive("limit", limit, "2")
    if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 3):
        raise ValueError(f"most={most!r}: expected a whole number of 3 or more, such as 5000, or None for all rows")
    p = probabilities("p_target", p_target)
    p = p if most is None else drawn(p, most, seed)
    if len(p) < 3:
        raise ValueError(f"p_target has {len(p)} row(s): expected 3 or more, for each is compared with the others")
    if cost(len(p)) > limit * 1e9:
        raise ValueError(
            f"the similarities of {len(p):,} rows would come to {cost(len(p)) / 1e9:.1f} GB, above the limit of "
            f"{limit:g}: use most={max(3, math.isqrt(int(limit * 1.25e8)))} or fewer rows, or a larger limit"
        )
    u = p / np.linalg.norm(p, axis=1, keepdims=True)
    return float(sum(_entropies(u, block, temperature).sum() for block in blocks(len(u), _AT_ONCE)) / len(u))


def _entropies(u: Array, block: slice, temperature: float) -> Array:
    """(rows of the block,) entropy of each one's neighbours."""
    close = u[block] @ u.T / temperature
    close[np.arange(len(close)), np.arange(block.start, block.stop)] = -np.inf
    close -= close.max(axis=1, keepdims=True)
    d = np.exp(close, out=close)
    d /= d.sum(axis=1, keepdims=True)
    return np.asarray(entr(d, out=d).sum(axis=1))
