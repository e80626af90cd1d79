"""Laplacian-regularised least squares (Belkin et al., 2006): the graph of nearest rows, and the closed forms."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

import numpy as np
from scipy.linalg import solve
from scipy.sparse import csr_array, diags_array
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.neighbors import kneighbors_graph

from headstart.linalg.nystroem import nystroem
from headstart.tasks.task import Array

__all__ = ["laplacian", "linear", "needed", "on_landmarks", "rbf"]

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


def needed(count: int, most: int | None = None) -> int:
    """Bytes that the matrices of `rbf` take, or those of `on_landmarks` on `most` rows."""
    return 24 * count * (count if most is None else min(most, count))


def linear(rows: Array, answers: Array, labelled: Array, L: csr_array, pulls: tuple[float, float]) -> Answer:
    """(X'J X + ridge l I + smooth l X'L X) w = X'J y, about the mean of labelled rows: the offset is free."""
    X = rows[labelled]
    middle, mean = X.mean(0), answers.mean(0)
    X -= middle
    w = _slopes(rows, X, answers - mean, L, pulls)
    return partial(_on_columns, middle=middle, w=w, mean=mean)


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
    return partial(_on_rows, rows=rows, gamma=gamma, a=a, mean=mean)


def _on_columns(new: Array, middle: Array, w: Array, mean: Array) -> Array:
    return (new - middle) @ w + mean


def _on_rows(new: Array, rows: Array, gamma: float, a: Array, mean: Array) -> Array:
    return cast(Array, rbf_kernel(new, rows, gamma=gamma) @ a + mean)


def on_landmarks(
    rows: Array, labels: tuple[Array, Array], L: csr_array, pulls: tuple[float, float, float], z: Array
) -> Answer:
    """`rbf` among functions that stand on rows z: on all rows it is `rbf` itself.

    labels: answers and which rows have them. f = phi w + mean y, phi the features of `nystroem`, w as in `linear`.
    """
    ridge, smooth, gamma = pulls
    answers, labelled = labels
    phi, mean = nystroem(z, gamma), answers.mean(0)
    features = phi(rows)
    w = _slopes(features, features[labelled], answers - mean, L, (ridge, smooth))
    return lambda new: phi(new) @ w + mean


def _slopes(rows: Array, X: Array, y: Array, L: csr_array, pulls: tuple[float, float]) -> Array:
    """w of labelled rows X with answers y, a few columns of L X at a time."""
    ridge, smooth = pulls
    A = X.T @ X + ridge * len(y) * np.eye(X.shape[1])
    for first in range(0, A.shape[1], _COLUMNS):
        some = slice(first, first + _COLUMNS)
        A[:, some] += smooth * len(y) * (rows.T @ (L @ rows[:, some]))
    return np.asarray(solve(A, X.T @ y, assume_a="pos"))
