"""Laplacian-regularised least squares (Belkin et al., 2006): the graph of nearest rows, and the two closed forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from scipy.linalg import solve
from scipy.sparse import csr_array, diags_array
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.neighbors import kneighbors_graph

from headstart.data.task import Array

__all__ = ["affordable", "laplacian", "linear", "rbf"]

Answer = Callable[[Array], Array]
_COLUMNS = 64


def laplacian(rows: Array, neighbours: int) -> csr_array:
    """(N, N) sparse L = D - W, W_ij = 1 / sum of W where i is among the nearest of j or j of i.

    f'L f is then half the mean of (f_i - f_j)^2 over joined rows. N^2 d operations, memory of N x neighbours.
    """
    near = csr_array(kneighbors_graph(rows, min(neighbours, len(rows) - 1)))
    W = cast(Any, near.maximum(near.T))
    W = W / W.sum()
    return csr_array(diags_array(W.sum(axis=1)) - W)


def affordable(count: int, limit: float) -> None:
    """Raises ValueError where the matrices of `rbf` would take more than `limit` GB."""
    need = 3 * 8 * count**2 / 1e9
    if not need <= limit:
        raise ValueError(
            f'kernel="rbf" on {count} rows takes {need:.1f} GB, limit_gb is {limit}: take kernel="linear", on features '
            "of Nystroem(n_components=300) for a bent answer, or fewer rows, or raise limit_gb"
        )


def linear(rows: Array, answers: Array, labelled: Array, L: csr_array, pulls: tuple[float, float]) -> Answer:
    """(X'J X + ridge l I + smooth l X'L X) w = X'J y, about the mean of labelled rows: the offset is free."""
    ridge, smooth = pulls
    X, count = rows[labelled], len(answers)
    middle, mean = X.mean(0), answers.mean(0)
    X -= middle
    A = X.T @ X + ridge * count * np.eye(X.shape[1])
    for first in range(0, A.shape[1], _COLUMNS):
        some = slice(first, first + _COLUMNS)
        A[:, some] += smooth * count * (rows.T @ (L @ rows[:, some]))
    w = solve(A, X.T @ (answers - mean), assume_a="pos")
    return lambda new: (new - middle) @ w + mean


def rbf(rows: Array, answers: Array, labelled: Array, L: csr_array, pulls: tuple[float, float, float]) -> Answer:
    """(J K + ridge l I + smooth l L K) a = J y, K_ij = exp(-gamma |x_i - x_j|^2), y from its mean."""
    ridge, smooth, gamma = pulls
    K, count, mean = rbf_kernel(rows, gamma=gamma), len(answers), answers.mean(0)
    A = smooth * count * (L @ K)
    A[labelled] += K[labelled]
    A[np.diag_indices_from(A)] += ridge * count
    y = np.zeros((len(rows), answers.shape[1]))
    y[labelled] = answers - mean
    a = solve(A, y, overwrite_a=True)
    return lambda new: rbf_kernel(new, rows, gamma=gamma) @ a + mean
