"""Tallies: the few numbers of each row whose sums over rows determine every score.

Every score here is a function of sums: accuracy of a count, F1 of three counts a class, R2 of five sums. So one sparse
matrix (N, K) of row numbers holds all there is to know; a sum over rows gives the scores, a sum over the rows of a
group treats the group as one unit, and a product with resampling weights (K, N) @ (N, B) scores B resamples at once.

    classes   support (C), predicted (C), hits (C), rows, exact, log loss, cost, calibration gaps (15), AUROC, average
              precision, and of both the shares of the rows of each class (C, C), see `ranking.py`
    values    what the kind says, see `Regression.tally`
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from headstart.evidence.calibration import BINS, bin_of, confidence
from headstart.evidence.held_out import HeldOut
from headstart.evidence.ranking import ranking
from headstart.tasks.goal import Decided
from headstart.tasks.task import Array

__all__ = ["tally"]


def tally(held_out: HeldOut, repeat: Decided) -> sparse.csr_array:
    """One repeat's predictions, (N, C) or (N,), and decisions -> (N, K) numbers a row."""
    predictions, decisions = repeat
    if not held_out.kind.has_classes:
        return sparse.csr_array(held_out.kind.tally(held_out.targets, predictions))
    truth, answer = _indicators(held_out, held_out.targets), _indicators(held_out, decisions)
    hits = truth * answer
    wrong = np.asarray((truth + answer - 2 * hits).sum(axis=1)).ravel()
    columns = [np.ones(len(wrong)), wrong == 0, _log_loss(held_out, predictions), _costs(held_out, decisions)]
    singles = sparse.csr_array(np.stack(columns, axis=1))
    order = ranking(held_out, predictions)
    ranks = sparse.csr_array(np.column_stack(order))
    return sparse.csr_array(sparse.hstack([truth, answer, hits, singles, _gaps(held_out, predictions), ranks]))


def _indicators(held_out: HeldOut, answers: Array) -> sparse.csr_array:
    """(N,) codes or (N, C) of 0 and 1 -> sparse (N, C) of 0. and 1."""
    if answers.ndim == 2:
        return sparse.csr_array(answers.astype(np.float64))
    rows = len(answers)
    return sparse.csr_array((np.ones(rows), answers, np.arange(rows + 1)), shape=(rows, len(held_out.classes)))


def _costs(held_out: HeldOut, decisions: Array) -> Array:
    """(N,) what each answer costs; nothing where the goal knows no costs. To a row of a class that was not learnt every
    answer costs as much as the dearest."""
    learnt = held_out.classes[: held_out.learnt]
    costs = None if held_out.goal is None else held_out.goal.cost_matrix(learnt)
    if costs is None:
        return np.zeros(len(decisions))
    known = held_out.targets < len(learnt)
    return np.where(known, costs[np.where(known, held_out.targets, 0), decisions], costs.max())


def _log_loss(held_out: HeldOut, predictions: Array) -> Array:
    """(N,) minus the log-likelihood of the truth; for multilabel the mean over labels. Clipped as scikit-learn does."""
    eps = np.finfo(np.float64).eps
    p = np.clip(predictions, eps, 1 - eps)
    if held_out.kind.exclusive:
        return np.asarray(-np.log(p[np.arange(len(p)), held_out.targets]))
    return np.asarray(-np.where(held_out.targets == 1, np.log(p), np.log1p(-p)).mean(axis=1))


def _gaps(held_out: HeldOut, predictions: Array) -> sparse.csr_array:
    """(N, 15): right - confidence, in the bin of the confidence; for multilabel the mean over labels."""
    sure, right = confidence(predictions, held_out)
    rows, per_row = len(sure), sure.size // len(sure)
    where = (np.repeat(np.arange(rows), per_row), bin_of(sure).ravel())
    return sparse.csr_array(((right - sure).ravel() / per_row, where), shape=(rows, BINS))
