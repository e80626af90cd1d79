"""The loss of a least-squares ratio on pairs of rows left out, without fitting again (Kanamori et al., 2009)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import eigh

from headstart.linalg.gaussian import blended_gram
from headstart.tasks.task import Array

__all__ = ["left_out_losses"]


def left_out_losses(k_p: Array, k_q: Array, alpha: float, penalties: Sequence[float]) -> list[float]:
    """Mean of w(x_i)^2 (1 - alpha) / 2 + w(z_i)^2 alpha / 2 - w(z_i), each w found without x_i and z_i; a penalty each.

    k_p (n, b), k_q (m, b): kernels of source and target rows. Leaving a pair out takes two products off H
    (Woodbury, 1950): theta_i = (A - U U')^-1 h_i = A^-1 h_i + A^-1 U (I - U'A^-1 U)^-1 U'A^-1 h_i. In the
    eigenvectors of A another penalty is another diagonal.
    """
    n, m = len(k_p), len(k_q)
    pairs = min(n, m)
    by_p, by_q = (1 - alpha) / (n - 1), alpha / (m - 1)
    values, vectors = eigh(blended_gram(k_p, k_q, by_p, by_q), driver="evd")
    values = np.maximum(values, 0)
    x, z = k_p[:pairs] @ vectors, k_q[:pairs] @ vectors
    h = (k_q.sum(axis=0) @ vectors - z) / (m - 1)
    products = [x * x, x * z, x * h, z * z, z * h]
    return [
        _loss((by_p, by_q), alpha, *(some @ (1 / (values + penalty)) for some in products)) for penalty in penalties
    ]


def _loss(by: tuple[float, float], alpha: float, *inner: Array) -> float:
    """From x'A^-1 x, x'A^-1 z, x'A^-1 h, z'A^-1 z and z'A^-1 h of each pair."""
    (by_p, by_q), (xx, xz, xh, zz, zh) = by, inner
    cross = np.sqrt(by_p * by_q) * xz
    rest_p, rest_q = 1 - by_p * xx, 1 - by_q * zz
    u, v = np.sqrt(by_p) * xh, np.sqrt(by_q) * zh
    span = rest_p * rest_q - cross**2
    s, t = np.sqrt(by_p) * (rest_q * u + cross * v) / span, np.sqrt(by_q) * (cross * u + rest_p * v) / span
    w_x = xh + s * xx + t * xz
    w_z = zh + s * xz + t * zz
    return float(np.mean((1 - alpha) / 2 * w_x**2 + alpha / 2 * w_z**2 - w_z))
