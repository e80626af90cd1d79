"""A logistic regression whose answer for a row comes from a model that did not see it, on rows that are never copied.

    min_W  mean_i  -log softmax(W'x_i + b)[y_i]  +  |W|^2 / (2 C n)      x standardised; one for each fold left out

All folds descend together (L-BFGS; Liu and Nocedal, 1989), so that a step reads the rows once, a block at a time, in
units in which the curvature is near one. The columns of W add to 0, as |W| is least only so: C - 1 are sought.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import cholesky, helmert, solve_triangular
from scipy.optimize import minimize
from scipy.sparse import eye_array

from headstart.heads.likelihood import Likelihood
from headstart.linalg.moments import blocks
from headstart.tasks.task import Array

__all__ = ["CrossFit", "cross_fit"]

AT_ONCE = 1024
STEPS = 200
TINY = 1e-12
WIDEST = 1024
ROWS_A_COLUMN = 10
LEAST = 0.01


class CrossFit(NamedTuple):
    """One linear model a fold.

    W      (folds, d, C) and b (folds, C): logits of a row x are x W + b
    fold   (n,) of each row that was fitted: which model did not see it
    """

    W: Array
    b: Array
    fold: Array

    def unseen(self, rows: Array, first: int = 0) -> Array:
        """(q, C) logits of rows that were fitted, each by the model that did not see it; they start at row `first`."""
        logits = np.empty((len(rows), self.b.shape[1]))
        for block in blocks(len(rows), AT_ONCE):
            number = self.fold[first + block.start : first + block.stop]
            every = np.einsum("qd,fdc->qfc", rows[block], self.W, optimize=True) + self.b
            logits[block] = every[np.arange(len(number)), number]
        return logits


def cross_fit(parts: Sequence[Array], codes: Array, *, C: float, folds: int, seed: int) -> CrossFit:
    """Rows in parts (n_k, d), one after another; codes (n,) of classes that each have at least two rows."""
    fold = _folds(codes, folds, seed)
    mean, spread = _moments(parts)
    units, Q = _units(parts, (mean, spread), C), np.asarray(helmert(int(codes.max()) + 1))
    descent = _Descent(parts, codes, fold, C, mean, spread, units, Q)
    point = minimize(
        descent.loss,
        np.zeros(int(np.prod(descent.shape))),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": STEPS, "gtol": 1e-6, "ftol": 1e-11},
    ).x
    W, b, _ = descent.raw(point.reshape(descent.shape))
    return CrossFit(np.ascontiguousarray(np.tensordot(W, Q, (0, 0))), np.tensordot(b, Q, (0, 0)), fold)


class _Descent(NamedTuple):
    """The loss of every fold's model, by U (C - 1, folds, d + 1): weights in `units` (d, d), and the intercept last.

    Q (C - 1, C) has orthonormal rows that add up to 0.
    """

    parts: Sequence[Array]
    codes: Array
    fold: Array
    C: float
    mean: Array
    spread: Array
    units: Any
    Q: Array

    @property
    def shape(self) -> tuple[int, int, int]:
        return int(self.codes.max()), int(self.fold.max()) + 1, len(self.mean) + 1

    def raw(self, U: Array) -> tuple[Array, Array, Array]:
        """W and b for rows as they are, and W for standardised rows."""
        V = (U[:, :, :-1].reshape(-1, len(self.mean)) @ self.units.T).reshape(*U.shape[:2], -1)
        W = V / self.spread
        return W, U[:, :, -1] - W @ self.mean, V

    def loss(self, flat: Array) -> tuple[float, Array]:
        U, G, Q = flat.reshape(self.shape), np.zeros(self.shape), self.Q
        learnt = (len(self.fold) - np.bincount(self.fold))[:, None]
        W, b, V = self.raw(U)
        each_class = np.arange(len(Q) + 1)[:, None]
        total, first = 0.0, 0
        for rows in self.parts:
            for block in blocks(len(rows), AT_ONCE):
                x, positions = rows[block], slice(first + block.start, first + block.stop)
                share = (self.fold[positions] != np.arange(len(learnt))[:, None]) / learnt
                scores = (W.reshape(-1, len(self.mean)) @ x.T).reshape(*b.shape, -1) + b[:, :, None]
                likelihood = Likelihood(each_class[:, None] == self.codes[positions], share)
                values, p = likelihood.value(_mixed(Q.T, scores))
                total += float(values.sum())
                off = _mixed(Q, likelihood.residual(p))
                G[:, :, :-1] += (off.reshape(-1, len(x)) @ x).reshape(W.shape)
                G[:, :, -1] += off.sum(axis=2)
            first += len(rows)
        G[:, :, :-1] = (G[:, :, :-1] - self.mean * G[:, :, -1:]) / self.spread + V / (self.C * learnt)
        G[:, :, :-1] = (G[:, :, :-1].reshape(-1, len(self.mean)) @ self.units).reshape(V.shape)
        return total + float((np.square(V).sum(axis=(0, 2)) / (2 * self.C * learnt[:, 0])).sum()), G.ravel()


def _mixed(Q: Array, scores: Array) -> Array:
    """(j, k), (k, folds, q) -> (j, folds, q)."""
    return (Q @ scores.reshape(len(scores), -1)).reshape(len(Q), *scores.shape[1:])


def _units(parts: Sequence[Array], moments: tuple[Array, Array], C: float) -> Any:
    """(d, d) with which standardised weights are multiplied, so that the loss curves alike along all: L'^-1 of

    L L' = (R + .01 I) / 4 + I / (C n),  R the correlations of some rows. Above 1024 columns, none.
    """
    (mean, spread), count = moments, sum(len(rows) for rows in parts)
    d = len(mean)
    if d > WIDEST:
        return eye_array(d)
    apart = max(count // max(ROWS_A_COLUMN * d, AT_ONCE), 1)
    R, counted = np.zeros((d, d)), 0
    for rows in parts:
        some = rows[::apart]
        for block in blocks(len(some), AT_ONCE):
            x = (some[block] - mean) / spread
            R += x.T @ x
        counted += len(some)
    R /= 4 * counted
    R[np.diag_indices(d)] += LEAST / 4 + 1 / (C * count)
    return solve_triangular(cholesky(R, lower=True), np.eye(d), lower=True).T


def _folds(codes: Array, folds: int, seed: int) -> Array:
    """(n,) fold of each row: every class is dealt out evenly, in an order drawn by the seed."""
    draw = np.random.default_rng(seed)
    shuffled = draw.permutation(len(codes))
    order = shuffled[np.argsort(codes[shuffled], kind="stable")]
    fold = np.empty(len(codes), dtype=np.int64)
    fold[order] = np.arange(len(codes)) % min(folds, len(codes))
    return fold


def _moments(parts: Sequence[Array]) -> tuple[Array, Array]:
    """Mean and standard deviation of each feature over all parts; 1 where it is constant."""
    count = sum(len(rows) for rows in parts)
    mean = np.sum([rows.sum(axis=0) for rows in parts], axis=0) / count
    squares = np.zeros_like(mean)
    for rows in parts:
        for block in blocks(len(rows), AT_ONCE):
            squares += np.square(rows[block] - mean).sum(axis=0)
    spread = np.sqrt(squares / count)
    return mean, np.where(spread > TINY * (1 + np.abs(mean)), spread, 1.0)
