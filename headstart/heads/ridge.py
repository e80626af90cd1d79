"""Ridge regression with exact leave-out predictions, all strengths from one eigendecomposition.

    minimise  sum_i w_i (y_i - b - v . r_i)^2  +  lambda |v|^2        (the intercept b is not penalised)

Classes are coded +1 and -1, one against the rest. In the basis (`basis.py`) the normal matrix is diagonal: with
A = diag(S^2 + lambda, sum w), beta = A^-1 R' W y. For a set F of rows held out together, with residuals e_F,

    e_F(held out) = (I - H_FF)^-1 e_F,    H_FF = R_F A^-1 R_F' W_F                          (|F| x |F|, few rows)
    beta(held out) = (A - R_F' W_F R_F)^-1 (R' W y - R_F' W_F y_F)                          (K x K, many rows)

Both are identities, not approximations; a fold of one row gives Allen's PRESS (1974; Golub, Heath and Wahba, 1979).
Standardisation and class weights are those of all rows. The strength is chosen by the held-out predictions: by their
log loss at the best temperature for classes, by RMSE for regression.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from headstart.heads.fitter import Posed, Proposal
from headstart.heads.problem import Problem
from headstart.heads.regularization_path import walk
from headstart.heads.standardize import BLOCK
from headstart.linalg.moments import blocks
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION
from headstart.tasks.task import Array, Kind

__all__ = ["Ridge"]


@dataclass(frozen=True, kw_only=True)
class Ridge(Posed):
    """Ridge regression.

    strengths   candidates for lambda, rising, in units of the mean eigenvalue of the basis
    gain        the share by which the held-out loss must fall for the walk along them to go on
    """

    kinds: ClassVar[tuple[Kind, ...]] = (CLASSIFICATION, MULTILABEL, REGRESSION)
    strengths: tuple[float, ...] = tuple(10.0 ** (k / 2) for k in range(-12, 7))
    gain: float = 0.001

    def propose(self, problem: Problem) -> Proposal:
        """The head at the best strength; its account tells the loss at each strength visited."""
        self.check(problem.kind)
        path = self._path(problem, _Equations(problem))
        account = {
            "strength": path.strength,
            "relative_strength": path.strengths[path.best],
            "losses": {f"{path.strengths[point]:.3g}": path.left[point].loss for point in sorted(path.left)},
        }
        beta = path.equations.solve(path.strength)  # now, so that the equations of all folds are let go
        return Proposal(path.left[path.best].out, lambda: problem.head("ridge", beta, account))

    def strength(self, problem: Problem) -> float:
        """The best lambda for these rows, the one of `propose`."""
        self.check(problem.kind)
        return self._path(problem, _Equations(problem)).strength

    def _path(self, problem: Problem, equations: _Equations) -> _Path:
        unit = problem.basis.unit
        strengths = [s for s in self.strengths if s >= problem.basis.weakest] or [max(self.strengths)]

        def visit(point: int, _: _Left | None) -> _Left:
            out = equations.held_out(strengths[point] * unit)
            return _Left(out, problem.score(out).loss)

        start = int(np.argmin(np.abs(np.log(strengths))))
        best, left = walk(visit, len(strengths), start, gain=self.gain)
        return _Path(equations, strengths, best, left, strengths[best] * unit)


class _Left(NamedTuple):
    out: Array
    loss: float


class _Path(NamedTuple):
    """The strengths that were to be visited, the number of the best, what was left out at each, and lambda."""

    equations: _Equations
    strengths: list[float]
    best: int
    left: dict[int, _Left]
    strength: float


class _Fold(NamedTuple):
    """Rows held out together, or (alone) rows each held out by itself; normal and moment are R' W R and R' W y."""

    rows: Array
    alone: bool
    normal: Array | None
    moment: Array


class _Equations:
    """The normal equations in the basis, and what each fold takes from them."""

    def __init__(self, problem: Problem) -> None:
        self.basis, self.weights = problem.basis, problem.weights
        self.y = 2 * problem.truth - 1 if problem.kind.has_classes else problem.truth
        self.center = self.y.mean(axis=0) if not problem.kind.has_classes else np.zeros(self.y.shape[1])
        self.y = self.y - self.center
        self.folds = [self._fold(rows, alone) for rows, alone in _groups(problem.folds)]
        self.moment = np.sum([fold.moment for fold in self.folds], axis=0)

    def solve(self, strength: float) -> Array:
        """beta (K + 1, C), the intercept last."""
        beta = self.moment / self._diagonal(strength)[:, None]
        beta[-1] += self.center
        return np.asarray(beta)

    def held_out(self, strength: float) -> Array:
        """(N, C) predictions of each row by the fit to the rows of other folds."""
        diagonal = self._diagonal(strength)
        beta = self.moment / diagonal[:, None]
        out = np.empty(self.y.shape)
        for fold in self.folds:
            if fold.alone:
                out[fold.rows] = self._each_without_itself(fold.rows, beta, diagonal)
            elif fold.normal is None:
                out[fold.rows] = self._without_few(fold.rows, beta, diagonal)
            else:
                rest = _solve(np.diag(diagonal) - fold.normal, self.moment - fold.moment)
                for part in blocks(len(fold.rows), BLOCK):
                    out[fold.rows[part]] = self._rows(fold.rows[part]) @ rest
        return np.asarray(out + self.center)

    def _each_without_itself(self, rows: Array, beta: Array, diagonal: Array) -> Array:
        r, y, w = self._rows(rows), self.y[rows], self.weights[rows, None]
        leverage = w * np.einsum("nk,nk,k->n", r, r, 1 / diagonal)[:, None]
        return np.asarray(y - (y - r @ beta) / (1 - leverage))

    def _without_few(self, rows: Array, beta: Array, diagonal: Array) -> Array:
        r, y, w = self._rows(rows), self.y[rows], self.weights[rows, None]
        half = r / np.sqrt(diagonal)
        return np.asarray(y - _solve(np.diag(1 / w[:, 0]) - half @ half.T, y - r @ beta) / w)

    def _diagonal(self, strength: float) -> Array:
        return self.basis.squares + self.basis.penalty(strength)

    def _rows(self, rows: Array) -> Array:
        return np.asarray(self.basis.rows[rows], dtype=np.float64)

    def _fold(self, rows: Array, alone: bool) -> _Fold:
        size, columns = len(self.basis.squares), self.y.shape[1]
        many = not alone and len(rows) > size
        normal = np.zeros((size, size)) if many else None
        moment = np.zeros((size, columns))
        for part in blocks(len(rows), BLOCK):
            root = np.sqrt(self.weights[rows[part], None])
            r = self._rows(rows[part]) * root
            moment += r.T @ (root * self.y[rows[part]])
            if normal is not None:
                normal += r.T @ r
        return _Fold(rows, alone, None if normal is None else normal.astype(self.basis.rows.dtype), moment)


def _solve(matrix: Array, right: Array) -> Array:
    """Of a symmetric positive definite matrix, which is overwritten."""
    factor = cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
    return np.asarray(cho_solve(factor, right, check_finite=False))


def _groups(folds: Array) -> Iterator[tuple[Array, bool]]:
    """Folds of several rows one by one; folds of a single row together, a block at a time."""
    size = np.bincount(folds)
    order = np.argsort(folds, kind="stable")
    several = [rows for rows in np.split(order, np.cumsum(size)[:-1]) if len(rows) > 1]
    alone = np.flatnonzero(size[folds] == 1)
    yield from ((rows, False) for rows in several)
    yield from ((alone[rows], True) for rows in blocks(len(alone), BLOCK))
