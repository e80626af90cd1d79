"""The loss of a least-squares ratio on pairs of rows left out, without fitting again (Kanamori et al., 2009)."""

from __future__ import annotations

import numpy as np

from headstart.data.task import Array

__all__ = ["left_out_loss"]


def left_out_loss(k_p: Array, k_q: Array, alpha: float, penalty: float) -> float:
    """Mean of w(x_i)^2 (1 - alpha) / 2 + w(z_i)^2 alpha / 2 - w(z_i), each w found without x_i and z_i.

    k_p (n, b), k_q (m, b): kernels of source and target rows. Leaving a pair out takes two products off H
    (Woodbury, 1950): theta_i = (A - U U')^-1 h_i = A^-1 h_i + A^-1 U (I - U'A^-1 U)^-1 U'A^-1 h_i.
    """
    n, m = len(k_p), len(k_q)
    pairs = min(n, m)
    x, z = k_p[:pairs], k_q[:pairs]
    by_p, by_q = (1 - alpha) / (n - 1), alpha / (m - 1)
    A = by_p * k_p.T @ k_p + by_q * k_q.T @ k_q
    A[np.diag_indices(len(A))] += penalty
    h = (k_q.sum(axis=0) - z) / (m - 1)
    Ax, Az, Ah = np.linalg.solve(A, np.concatenate([x, z, h]).T).T.reshape(3, pairs, -1)
    inner = {
        (a, b): np.einsum("ib,ib->i", left, right)
        for a, left in (("x", x), ("z", z))
        for b, right in (("x", Ax), ("z", Az), ("h", Ah))
    }
    cross = np.sqrt(by_p * by_q) * inner["x", "z"]
    one, two = 1 - by_p * inner["x", "x"], 1 - by_q * inner["z", "z"]
    u, v = np.sqrt(by_p) * inner["x", "h"], np.sqrt(by_q) * inner["z", "h"]
    span = one * two - cross**2
    s, t = np.sqrt(by_p) * (two * u + cross * v) / span, np.sqrt(by_q) * (cross * u + one * v) / span
    w_x = inner["x", "h"] + s * inner["x", "x"] + t * inner["x", "z"]
    w_z = inner["z", "h"] + s * inner["x", "z"] + t * inner["z", "z"]
    return float(np.mean((1 - alpha) / 2 * w_x**2 + alpha / 2 * w_z**2 - w_z))
