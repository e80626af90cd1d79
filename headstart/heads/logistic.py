"""Multinomial logistic regression with the strength of its L2 penalty chosen over the folds.

    minimise  sum_i w_i -log softmax(r_i W)[y_i]  +  lambda / 2 |W|^2       (the intercepts are not penalised)

Two classes are one sigmoid, and labels of a multilabel task are independent sigmoids with one common strength. All
folds are fitted at once (`descent.py`), each from its neighbour on the path of strengths; the path is left as soon as
the held-out log loss, at its best temperature, stops falling. The path is solved loosely; at the strength that is taken
the folds are solved as tightly as the final fit, for a fold that stops early is penalised once more, and its held-out
loss is better than that of the head that is kept. In the terms of scikit-learn, C = 1 / lambda, or 2 / lambda for the
two-class softmax form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from headstart.heads.descent import Objective, descend
from headstart.heads.fitter import Posed, Proposal
from headstart.heads.head import Head
from headstart.heads.likelihood import Likelihood
from headstart.heads.problem import Problem
from headstart.heads.regularization_path import walk
from headstart.linalg.blas import at_once
from headstart.linalg.moments import blocks
from headstart.tasks import CLASSIFICATION, MULTILABEL
from headstart.tasks.task import Array, Kind

__all__ = ["Logistic"]

ELEMENTS = 2_000_000
"""Of the logits that one thread holds."""
WORTH_A_THREAD = 10_000_000
"""Products of one step over all folds from which a second thread earns what it costs."""
ABSENT = 1e-13


@dataclass(frozen=True, kw_only=True)
class Logistic(Posed):
    """L2 multinomial logistic regression.

    strengths   candidates for lambda, rising, in units of the mean eigenvalue of the basis
    start       where on them to begin
    gain        the share by which the held-out loss must fall for the path to go on
    loose       what a fold may leave on the table along the path, in nats a row
    tight       the same at the strength that is taken, for the folds and for the final fit alike
    most_folds  more folds than these are merged, whole, into these
    """

    kinds: ClassVar[tuple[Kind, ...]] = (CLASSIFICATION, MULTILABEL)
    strengths: tuple[float, ...] = tuple(10.0 ** (2 * k / 3 - 5) for k in range(10))
    start: float = 0.1
    gain: float = 0.01
    loose: float = 1e-5
    tight: float = 1e-7
    most_folds: int = 10

    def propose(self, problem: Problem) -> Proposal:
        """The head at the best strength; its account tells the loss at each strength visited."""
        self.check(problem.kind)
        problem = problem.merged(self.most_folds)
        basis, paths = problem.basis, _Folds(problem)
        strengths = [s for s in self.strengths if s >= basis.weakest] or [max(self.strengths)]

        def visit(point: int, near: _Visit | None) -> _Visit:
            w, out = paths.solve(strengths[point] * basis.unit, None if near is None else near.w, self.loose)
            return _Visit(w, out, problem.score(out).loss)

        start = int(np.argmin(np.abs(np.log(strengths) - np.log(self.start))))
        best, visits = walk(visit, len(strengths), start, gain=self.gain)
        w, out = paths.solve(strengths[best] * basis.unit, visits[best].w, self.tight)
        account = {
            "strength": strengths[best] * basis.unit,
            "relative_strength": strengths[best],
            "losses": {f"{strengths[point]:.3g}": visits[point].loss for point in sorted(visits)},
        }

        def finish() -> Head:
            beta, gap = paths.finish(strengths[best] * basis.unit, w, self.tight)
            return problem.head("logistic", beta, {**account, "gap": gap})

        return Proposal(out, finish)


class _Visit(NamedTuple):
    """w (G, F, L, K + 1), out-of-fold logits (N, C), and their loss."""

    w: Array
    out: Array
    loss: float


class _Folds:
    """The fits of all folds. Groups of G logits under one softmax, L labels: C = G L, one of them 1."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.rows = problem.basis.rows
        truth = problem.truth[:, 1:] if self._two_classes() else problem.truth
        shape = (-1, 1, len(truth)) if problem.kind.exclusive else (1, -1, len(truth))
        self.truth = np.ascontiguousarray(truth.T, dtype=self.rows.dtype).reshape(shape)
        outside = problem.folds != np.arange(problem.folds.max() + 1)[:, None]
        self.weights = (outside * problem.weights).astype(self.rows.dtype)

    def solve(self, strength: float, start: Array | None, tolerance: float) -> tuple[Array, Array]:
        """-> w (G, F, L, K + 1) at one strength, a few folds in each of two threads, and out-of-fold logits (N, C)."""
        w = self._priors() if start is None else start.copy()
        out = np.empty((len(self.rows), self.truth.shape[0] * self.truth.shape[1]))

        parts = list(blocks(len(self.weights), self._together()))
        minima = at_once(lambda part: self._descend(strength, w[:, part], self.weights[part], tolerance), parts)
        for part, (w[:, part], z, _) in zip(parts, minima, strict=True):
            for fold in range(z.shape[1]):
                rows = self.problem.folds == part.start + fold
                out[rows] = z[:, fold, :, rows].reshape(rows.sum(), -1)
        return w, self.problem.filled(self._spread(out))

    def _together(self) -> int:
        """How many folds one thread takes: half of them, less where their logits are many, all where they are few."""
        folds = len(self.weights)
        if self.rows.size * len(self.truth) * self.truth.shape[1] * folds < WORTH_A_THREAD:
            return folds
        return max(1, min((folds + 1) // 2, ELEMENTS // self.truth.size))

    def finish(self, strength: float, w: Array, tolerance: float) -> tuple[Array, float]:
        """-> beta (K + 1, C) of the fit to all rows, which starts at the mean of the folds, and its gap."""
        everything = self.problem.weights.astype(self.rows.dtype)[None]
        w, _, gap = self._descend(strength, w.mean(axis=1, keepdims=True), everything, tolerance)
        flat = self._spread(w.reshape(-1, w.shape[-1]).T.astype(np.float64))
        if self.problem.kind.exclusive:
            flat -= flat.mean(axis=1, keepdims=True)
        return flat, gap

    def _descend(self, strength: float, w: Array, weights: Array, tolerance: float) -> tuple[Array, Array, float]:
        groups, folds, labels, size = w.shape
        kind = self.rows.dtype
        truth = np.tile(self.truth, (1, folds, 1)) if labels > 1 else self.truth
        likelihood = Likelihood(truth, np.repeat(weights, labels, axis=0))
        basis = self.problem.basis
        objective = Objective(self.rows, basis.squares.astype(kind), likelihood, basis.penalty(strength).astype(kind))
        minimum = descend(objective, w.reshape(groups, folds * labels, size), tolerance)
        return minimum.w.reshape(w.shape), minimum.z.reshape(groups, folds, labels, -1), minimum.gap

    def _priors(self) -> Array:
        """w with the log odds of each class outside each fold as intercepts; next to none for a class not there."""
        of_class = np.einsum("gln,fn->gfl", self.truth, self.weights)
        total = self.weights.sum(axis=1)[:, None]
        rest = total - of_class if len(of_class) == 1 else total
        w = np.zeros((*of_class.shape, self.rows.shape[1]), dtype=self.rows.dtype)
        w[..., -1] = np.log(np.maximum(of_class / total, ABSENT)) - np.log(np.maximum(rest / total, ABSENT))
        return w

    def _two_classes(self) -> bool:
        return self.problem.kind.exclusive and self.problem.classes == 2

    def _spread(self, columns: Array) -> Array:
        """The one column of a two-class sigmoid -> two logits."""
        return np.concatenate([-columns / 2, columns / 2], axis=1) if self._two_classes() else columns
