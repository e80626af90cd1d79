"""The principal axes of standardised features: the one eigendecomposition from which every linear head is fitted.

    Z = (features - mean) / scale,   W = diag(weights),   W^1/2 Z = U S Q'      (1' W Z = 0)
    R = [Z Q, 1]  (N, K + 1)         R' W R = diag(S^2, sum of weights)

An L2 penalty on Q v equals one on v, so a head fitted on R is exactly the head fitted on Z; the last column is for the
intercept. With N < D there are K <= N - 1 axes instead of D. The Gram matrix is D x D (primal) or, where N < D, N x N
(dual); in either case it is summed block by block in float64, so that neither Z nor a float64 copy of the features is
ever held.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from headstart.heads.standardize import BLOCK, Scale, Standard, standard
from headstart.linalg.moments import blocks
from headstart.tasks.task import Array

__all__ = ["Basis", "axes_of", "principal"]


@dataclass(frozen=True, kw_only=True)
class Basis:
    """R and S^2.

    rows      (N, K + 1) in the precision of the features, the last column 1
    squares   (K + 1,) float64: S^2, falling, then the sum of the weights
    lift      weights on the axes (K, C) -> weights on standardised features (D, C)
    """

    standard: Standard
    rows: Array
    squares: Array
    lift: Callable[[Array], Array]

    @property
    def unit(self) -> float:
        """The mean eigenvalue: strengths of a penalty are counted in it, and so are free of N, D and scale."""
        return float(self.squares[:-1].mean()) if len(self.squares) > 1 else 1.0

    @property
    def weakest(self) -> float:
        """The weakest strength, in `unit`, that the rounding of the rows allows."""
        largest = float(self.squares[0]) if len(self.squares) > 1 else 1.0
        return 20 * float(np.finfo(self.rows.dtype).eps) * largest / self.unit

    def penalty(self, strength: float) -> Array:
        """(K + 1,) float64: the strength for every axis, nothing for the intercept."""
        return np.append(np.full(len(self.squares) - 1, strength), 0.0)


def principal(features: Array, order: Array, weights: Array, scale: Scale = "each") -> Basis:
    """The basis of `features[order]` (N, D) whose rows weigh `weights` (N,), which stand in that order."""
    n, d = features.shape
    return (_dual if n < d else _primal)(features, order, weights, standard(features, order, weights, scale))


def _primal(features: Array, order: Array, weights: Array, std: Standard) -> Basis:
    gram = np.zeros((features.shape[1],) * 2)
    for rows in blocks(len(order), BLOCK):
        z = std.apply(features[order[rows]]) * np.sqrt(weights[rows])[:, None]
        gram += z.T @ z
    squares, axes = axes_of(gram, max(features.shape))
    coordinates = np.ones((len(order), len(squares) + 1), dtype=features.dtype)
    narrow = axes.astype(features.dtype)
    for rows in blocks(len(order), BLOCK):
        coordinates[rows, :-1] = std.apply(features[order[rows]]).astype(features.dtype) @ narrow
    return Basis(
        standard=std, rows=coordinates, squares=np.append(squares, weights.sum()), lift=lambda v: np.asarray(axes @ v)
    )


def _dual(features: Array, order: Array, weights: Array, std: Standard) -> Basis:
    root = np.sqrt(weights)[:, None]
    parts = list(blocks(features.shape[1], BLOCK))

    def columns(part: slice) -> Array:
        return Standard(std.mean[part], std.scale[part]).apply(features[:, part][order]) * root

    gram = np.zeros((len(order),) * 2)
    for part in parts:
        z = columns(part)
        gram += z @ z.T
    squares, u = axes_of(gram, max(features.shape))
    s = np.sqrt(squares)

    def lift(v: Array) -> Array:
        inner = (u / s) @ v
        return np.concatenate([columns(part).T @ inner for part in parts])

    coordinates = np.ones((len(order), len(squares) + 1), dtype=features.dtype)
    coordinates[:, :-1] = u * s / root
    return Basis(standard=std, rows=coordinates, squares=np.append(squares, weights.sum()), lift=lift)


def axes_of(gram: Array, size: int) -> tuple[Array, Array]:
    """Eigenvalues (falling) and eigenvectors of a Gram matrix, without those that are zero up to rounding."""
    # Not scipy.linalg.eigh: the same LAPACK routine, but there one thread waits for the other (`select.py` has two).
    values, vectors = np.linalg.eigh(gram)
    spanned = values > size * np.finfo(np.float64).eps * max(values[-1], 0.0)
    return values[spanned][::-1], vectors[:, spanned][:, ::-1]
