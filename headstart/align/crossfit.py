"""A logistic regression whose answer for a row comes from a model that did not see it, on rows that are never copied.

    min_W  mean_i  -log softmax(W'x_i + b)[y_i]  +  |W|^2 / (2 C n)      x standardised; one for each fold left out

All folds descend together (L-BFGS; Liu and Nocedal, 1989), so that a step reads the rows once, a block at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from headstart.align.moments import blocks
from headstart.data.task import Array

__all__ = ["CrossFit", "cross_fit"]

AT_ONCE = 1024
STEPS = 200
TINY = 1e-12


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
        found = np.empty((len(rows), self.b.shape[1]))
        for block in blocks(len(rows), AT_ONCE):
            number = self.fold[first + block.start : first + block.stop]
            every = np.einsum("qd,fdc->qfc", rows[block], self.W, optimize=True) + self.b
            found[block] = every[np.arange(len(number)), number]
        return found


def cross_fit(parts: Sequence[Array], codes: Array, *, C: float, folds: int, seed: int) -> CrossFit:
    """Rows in parts (n_k, d), one after another; codes (n,) of classes that each have at least two rows."""
    fold = _folds(codes, folds, seed)
    descent = _Descent(parts, codes, fold, C, *_moments(parts))
    found = minimize(
        descent.loss,
        np.zeros(int(np.prod(descent.shape))),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": STEPS, "gtol": 1e-6, "ftol": 1e-11},
    ).x
    W, b = descent.raw(found.reshape(descent.shape))
    return CrossFit(np.ascontiguousarray(W.transpose(1, 0, 2)), b, fold)


class _Descent(NamedTuple):
    """The loss of every fold's model, by V (d + 1, folds, C): weights of standardised rows, and the intercept last."""

    parts: Sequence[Array]
    codes: Array
    fold: Array
    C: float
    mean: Array
    spread: Array

    @property
    def shape(self) -> tuple[int, int, int]:
        return len(self.mean) + 1, int(self.fold.max()) + 1, int(self.codes.max()) + 1

    def raw(self, V: Array) -> tuple[Array, Array]:
        """Weights of standardised rows as weights (d, folds, C) of the rows as they are."""
        W = V[:-1] / self.spread[:, None, None]
        return W, V[-1] - np.tensordot(self.mean, W, 1)

    def loss(self, flat: Array) -> tuple[float, Array]:
        V, G = flat.reshape(self.shape), np.zeros(self.shape)
        seen = len(self.fold) - np.bincount(self.fold)
        W, b = self.raw(V)
        total, first = 0.0, 0
        for rows in self.parts:
            for block in blocks(len(rows), AT_ONCE):
                x, here = rows[block], slice(first + block.start, first + block.stop)
                log_p = log_softmax((x @ W.reshape(len(W), -1)).reshape(len(x), *b.shape) + b, axis=2)
                share = (self.fold[here, None] != np.arange(len(b))) / seen
                total -= float((share * np.take_along_axis(log_p, self.codes[here, None, None], 2)[:, :, 0]).sum())
                off = (np.exp(log_p) - np.eye(b.shape[1])[self.codes[here], None]) * share[:, :, None]
                G[:-1] += (x.T @ off.reshape(len(x), -1)).reshape(W.shape)
                G[-1] += off.sum(axis=0)
            first += len(rows)
        G[:-1] = (G[:-1] - self.mean[:, None, None] * G[-1]) / self.spread[:, None, None]
        G[:-1] += V[:-1] / (self.C * seen[:, None])
        return total + float((np.square(V[:-1]).sum(axis=(0, 2)) / (2 * self.C * seen)).sum()), G.ravel()


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
