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

from headstart.align.gaussian import blocks
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

    def new(self, rows: Array) -> Array:
        """(folds, q, C) logits of rows that no model saw."""
        found = np.empty((len(self.b), len(rows), self.b.shape[1]))
        for block in blocks(len(rows), AT_ONCE):
            found[:, block] = np.einsum("qd,fdc->fqc", rows[block], self.W, optimize=True) + self.b[:, None]
        return found


def cross_fit(parts: Sequence[Array], codes: Array, *, C: float, folds: int, seed: int) -> CrossFit:
    """Rows in parts (n_k, d), one after another; codes (n,) of classes that each have at least two rows."""
    fold = _folds(codes, folds, seed)
    mean, spread = _moments(parts)
    classes = int(codes.max()) + 1
    onehot = np.eye(classes)
    shape = (parts[0].shape[1] + 1, fold.max() + 1, classes)
    seen = np.array([(fold != number).sum() for number in range(shape[1])])

    def loss(flat: Array) -> tuple[float, Array]:
        V = flat.reshape(shape)
        W, b = _raw(V, mean, spread)
        total, gradient, first = 0.0, np.zeros(shape), 0
        for rows in parts:
            for block in blocks(len(rows), AT_ONCE):
                x, here = rows[block], slice(first + block.start, first + block.stop)
                logits = log_softmax((x @ W.reshape(len(W), -1)).reshape(-1, *shape[1:]) + b, axis=2)
                share = (fold[here, None] != np.arange(shape[1])) / seen
                total -= float(share.ravel() @ np.take_along_axis(logits, codes[here, None, None], 2).ravel())
                off = (np.exp(logits) - onehot[codes[here]][:, None]) * share[:, :, None]
                gradient[:-1] += (x.T @ off.reshape(len(x), -1)).reshape(-1, *shape[1:])
                gradient[-1] += off.sum(axis=0)
            first += len(rows)
        gradient[:-1] = (gradient[:-1] - mean[:, None, None] * gradient[-1]) / spread[:, None, None]
        gradient[:-1] += V[:-1] / (C * seen[:, None])
        return total + float((np.square(V[:-1]).sum(axis=(0, 2)) / (2 * C * seen)).sum()), gradient.ravel()

    found = minimize(
        loss,
        np.zeros(int(np.prod(shape))),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": STEPS, "gtol": 1e-6, "ftol": 1e-11},
    ).x
    W, b = _raw(found.reshape(shape), mean, spread)
    return CrossFit(np.ascontiguousarray(W.transpose(1, 0, 2)), b, fold)


def _raw(V: Array, mean: Array, spread: Array) -> tuple[Array, Array]:
    """Weights of standardised rows as weights of the rows as they are."""
    W = V[:-1] / spread[:, None, None]
    return W, V[-1] - np.tensordot(mean, W, 1)


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
