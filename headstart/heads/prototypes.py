"""Class prototypes: the nearest class mean, as a linear head (Snell, Swersky and Zemel, 2017, section 2.4).

    logit_c = -|z - mu_c|^2 / 2 D  =  (mu_c . z - |mu_c|^2 / 2) / D  +  (a term common to all classes)

on standardised features z (D), with equal priors. It estimates one mean a class and nothing else, which is about all
that one to five rows a class can carry; the scale of the logits is left to the temperature. A multilabel task has two
prototypes a label, with it and without, and the logit is the difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from headstart.heads.fitter import Posed, Proposal
from headstart.heads.problem import Problem
from headstart.tasks import CLASSIFICATION, MULTILABEL
from headstart.tasks.task import Array, Kind

__all__ = ["Prototypes"]


@dataclass(frozen=True, kw_only=True)
class Prototypes(Posed):
    """Nothing to choose."""

    kinds: ClassVar[tuple[Kind, ...]] = (CLASSIFICATION, MULTILABEL)

    def propose(self, problem: Problem) -> Proposal:
        """The head of the means of all rows; out of fold, of the rows of other folds."""
        self.check(problem.kind)
        rows = problem.basis.rows
        out = np.empty((len(rows), problem.classes))
        for fold in range(problem.folds.max() + 1):
            left_out = problem.folds == fold
            out[left_out] = rows[left_out] @ _layer(problem, ~left_out)
        everything = np.ones(len(rows), dtype=bool)
        return Proposal(problem.filled(out), lambda: problem.head("prototypes", _layer(problem, everything), {}))


def _layer(problem: Problem, rows: Array) -> Array:
    """beta (K + 1, C) of some rows, the intercept last."""
    r, truth, weights = problem.basis.rows[rows, :-1], problem.truth[rows], problem.weights[rows, None]
    depth = 2 * problem.features.shape[1]
    beta = _toward(r, truth * weights)
    if problem.kind.several:
        beta = beta - _toward(r, (1 - truth) * weights)
    elif (absent := truth.sum(axis=0) == 0).any():
        beta[-1, absent] = beta[-1, ~absent].min() - depth
    return np.asarray(beta / depth)


def _toward(r: Array, members: Array) -> Array:
    """Twice the mean of each class on the axes, and minus its squared length: (K + 1, C)."""
    means = r.T @ members / np.maximum(members.sum(axis=0), np.finfo(np.float64).tiny)
    return np.concatenate([2 * means, -np.square(means).sum(axis=0, keepdims=True)])
