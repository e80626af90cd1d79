"""The upper tail of a weighted sum of squared standard normals, by the saddlepoint (Kuonen, 1999, Biometrika 86).

    P(sum_k l_k x_k^2 > q) ~ 1 - Phi(w + log(v / w) / w),    K(t) = -1/2 sum_k log(1 - 2 l_k t),    K'(t) = q
    w = sign(t) sqrt(2 (t q - K(t))),    v = t sqrt(K''(t))

Off by a few hundredths of the probability, and as near far out, where no simulation reaches.
"""

from __future__ import annotations

import numpy as np

from headstart.tasks.kind import Array

__all__ = ["upper_tail"]

_MIDDLE = 1e-3


def upper_tail(weights: Array, value: float) -> float:
    """The probability of more than `value`, of weights (K,) l_k >= 0; 0 or 1 where no weight is above 0."""
    scale = float(weights.max(initial=0.0))
    if scale <= 0:
        return float(value < 0)
    if value <= 0:
        return 1.0
    from scipy.stats import norm  # here, since a model that only answers needs no scipy

    weights, q = weights[weights > 0] / scale, value / scale
    t = _saddlepoint(weights, q)
    left = 1 - 2 * weights * t
    inside = 2 * (t * q + 0.5 * np.log(left).sum())
    w = float(np.copysign(np.sqrt(max(0.0, inside)), t))
    if abs(w) < _MIDDLE:  # where v / w is nearly 1: the limit
        spread = float(np.sqrt(2 * (weights**2).sum()))
        skew = 8 * (weights**3).sum() / spread**3
        return float(norm.sf((q - weights.sum()) / spread + skew / 6))
    v = t * float(np.sqrt(2 * np.square(weights / left).sum()))
    return float(norm.sf(w + np.log(v / w) / w))


def _saddlepoint(weights: Array, q: float) -> float:
    """t with K'(t) = q; the largest of the weights is 1."""

    def slope(t: float) -> float:
        return float((weights / (1 - 2 * weights * t)).sum()) - q

    from scipy.optimize import brentq

    mean = float(weights.sum())
    low, high = (-len(weights) / (2 * q), 0.0) if q < mean else (0.0, (1 - 1 / q) / 2)
    if slope(low) >= 0 or slope(high) <= 0:
        return low if slope(low) >= 0 else high
    return float(brentq(slope, low, high, xtol=1e-14, rtol=1e-12))
