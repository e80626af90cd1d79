"""Regularised linear discriminant analysis: prototypes that are measured by the spread within classes.

    logit_c = mu_c' A x - mu_c' A mu_c / 2,      A = sum w (S + lambda I)^-1
    S = sum_c sum_(i in c) w_i (x_i - mu_c)(x_i - mu_c)'                (Friedman, 1989, with one covariance)

with equal priors: how much the classes' shares count is left to `prior.py`. With lambda large it is the nearest class
mean (`prototypes.py`), with lambda small Fisher's discriminant. For a set F of rows held out together all that changes
is of low rank in the basis (`basis.py`), where D = diag(S^2 + lambda) and x stands for the coordinates of a row:

    S + lambda I = D - U U',     U = [ sqrt(w_i) x_i : i in F,  sqrt(n_c) mu_c : c ]        mu_c, n_c of the other rows

so that (S + lambda I)^-1 = D^-1 + D^-1 U (I - U' D^-1 U)^-1 U' D^-1 (Woodbury). Exact but for the standardisation,
which is that of all rows. The strength is chosen by the held-out log loss at the best temperature.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from headstart.heads.fitter import Posed, Proposal
from headstart.heads.head import Head
from headstart.heads.problem import Problem
from headstart.heads.regularization_path import walk
from headstart.heads.standardize import BLOCK
from headstart.linalg.moments import blocks
from headstart.tasks import CLASSIFICATION
from headstart.tasks.task import Array, Kind

__all__ = ["Discriminant"]


@dataclass(frozen=True, kw_only=True)
class Discriminant(Posed):
    """Regularised linear discriminant analysis.

    strengths   candidates for lambda, rising, in units of the mean eigenvalue of the basis
    gain        the share by which the held-out loss must fall for the walk along them to go on
    most_folds  more folds than these are merged, whole, into these
    """

    kinds: ClassVar[tuple[Kind, ...]] = (CLASSIFICATION,)
    strengths: tuple[float, ...] = tuple(10.0 ** (k / 2) for k in range(-8, 7))
    gain: float = 0.001
    most_folds: int = 10

    def propose(self, problem: Problem) -> Proposal:
        """The head at the best strength; its account tells the loss at each strength visited."""
        self.check(problem.kind)
        problem = problem.merged(self.most_folds)
        basis = problem.basis
        strengths = [s for s in self.strengths if s >= basis.weakest] or [max(self.strengths)]
        parts = [_Part.of(problem, problem.folds == fold) for fold in range(problem.folds.max() + 1)]

        def visit(point: int, _: _Left | None) -> _Left:
            out = np.empty((len(problem.targets), problem.classes))
            for part in parts:
                out[part.left_out] = part.rows(problem) @ part.layer(problem, strengths[point] * basis.unit)
            out = problem.filled(out)
            return _Left(out, problem.score(out).loss)

        start = int(np.argmin(np.abs(np.log(strengths))))
        best, left = walk(visit, len(strengths), start, gain=self.gain)
        strength = strengths[best] * basis.unit
        account = {
            "strength": strength,
            "relative_strength": strengths[best],
            "losses": {f"{strengths[point]:.3g}": left[point].loss for point in sorted(left)},
        }

        def finish() -> Head:
            everything = _Part.of(problem, np.zeros(len(problem.targets), dtype=bool))
            return problem.head("lda", everything.layer(problem, strength), account)

        return Proposal(left[best].out, finish)


class _Left(NamedTuple):
    out: Array
    loss: float


class _Part(NamedTuple):
    """Rows that are held out together, and what the others say. Of the rows it keeps which: in float64, all of them
    would be twice as large as the features.

    left_out   (N,) bool
    means      (K, C) of the others; 0 for a class that is not among them
    counts     (C,) their weights
    """

    left_out: Array
    means: Array
    counts: Array

    @classmethod
    def of(cls, problem: Problem, left_out: Array) -> _Part:
        r, weights, rest = problem.basis.rows, problem.weights, ~left_out
        members = problem.truth[rest] * weights[rest, None]
        counts = members.sum(axis=0)
        sums, numbers = np.zeros((r.shape[1] - 1, len(counts))), np.flatnonzero(rest)
        for part in blocks(len(numbers), BLOCK):
            sums += r[numbers[part], :-1].T.astype(np.float64) @ members[part]
        return cls(left_out, sums / np.where(counts > 0, counts, 1.0), counts)

    def rows(self, problem: Problem) -> Array:
        """(F, K + 1) those that are held out, float64."""
        return np.asarray(problem.basis.rows[self.left_out], dtype=np.float64)

    def layer(self, problem: Problem, strength: float) -> Array:
        """beta (K + 1, C), the intercept last; that of a class that is not there is far below all others."""
        diagonal = (problem.basis.squares[:-1] + strength)[:, None]
        root = self.rows(problem)[:, :-1] * np.sqrt(problem.weights[self.left_out, None])
        U = np.concatenate([root.T, self.means * np.sqrt(self.counts)], axis=1)
        inverse = _inverse(diagonal, U, self.means)
        total = self.counts.sum()
        heights = -total * np.einsum("kc,kc->c", self.means, inverse) / 2
        absent = self.counts == 0
        if absent.any():
            heights[absent] = heights[~absent].min() - total
        return np.asarray(np.concatenate([total * inverse, heights[None]]))


def _inverse(diagonal: Array, U: Array, right: Array) -> Array:
    """(diag - U U')^-1 right for diag (K, 1), U (K, M), right (K, C), by the smaller of the two systems."""
    if U.shape[1] >= len(U):
        matrix = np.diag(diagonal[:, 0]) - U @ U.T
        return np.asarray(cho_solve(cho_factor(matrix, lower=True, overwrite_a=True), right))
    scaled, plain = U / diagonal, right / diagonal
    matrix = np.eye(U.shape[1]) - U.T @ scaled
    return np.asarray(plain + scaled @ cho_solve(cho_factor(matrix, lower=True, overwrite_a=True), U.T @ plain))
