"""What out-of-fold logits are worth, row by row, so that two candidates can be compared on the same rows."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.special import softmax

from headstart.heads.calibrate import row_log_losses
from headstart.heads.decision import decide, utility_of
from headstart.heads.head import Head
from headstart.heads.likelihood import code_losses
from headstart.heads.prior import Settled, half_by_class, settle, shares_of
from headstart.heads.problem import Problem
from headstart.tasks.goal import Aim
from headstart.tasks.task import Array

__all__ = ["Losses", "Score", "for_aim", "score"]


class Losses(NamedTuple):
    """rows (N,) of each row in `order`, and weights (N,) that sum to 1."""

    rows: Array
    weights: Array

    @property
    def mean(self) -> float:
        return float(self.rows @ self.weights)


class Score(NamedTuple):
    """loss      the mean of `own`, in nats; of values the RMSE, or the mean absolute error
    own       what is lost by rows: log loss, or squared or absolute error; what candidates are compared by
    aimed     what is lost of the aim; None where there is none, or the loss itself is aimed at
    settled   the temperature and offsets at which rows lose as little
    utility   by which answers are decided; None: the likeliest class
    decided   whether answers were decided for an aim
    """

    loss: float
    own: Losses
    aimed: Losses | None
    settled: Settled
    utility: Array | None = None
    decided: bool = False


def score(problem: Problem, out_of_fold: Array, *, aim: Aim | None) -> Score:
    """Score logits (N, C), rows in `order`.

    aim   of a classification: settle how much the classes' shares count too (`prior.py`), decide answers for it, and
          count what they lose of it. None: the temperature alone. Of a regression: what errors are measured by
    """
    if not problem.kind.has_classes:
        errors = np.abs(out_of_fold - problem.truth)[:, 0]
        absolute = aim is not None and aim.metric == "mae"
        own = Losses(errors if absolute else np.square(errors), np.full(len(errors), 1 / len(errors)))
        return Score(own.mean if absolute else float(np.sqrt(own.mean)), own, None, Settled(1.0, np.zeros(1), 0.0))
    if problem.kind.exclusive and aim is not None:
        return _aimed(problem, out_of_fold, aim)
    temperature, loss = problem.score(out_of_fold)
    own = Losses(*row_log_losses(out_of_fold / temperature, problem.targets, problem.kind, problem.counted))
    return Score(loss, own, None, Settled(temperature, np.zeros(problem.columns), loss))


def for_aim(head: Head, problem: Problem, out_of_fold: Array, aim: Aim) -> Head:
    """The head with its temperature, the weight of the classes' shares and its decisions settled by logits (N, C) of
    rows held out. A head that is no classifier of one class a row stays as it is."""
    if not problem.kind.exclusive:
        return head
    scored = score(problem, out_of_fold, aim=aim)
    temperature, offsets = scored.settled.temperature, scored.settled.offsets
    return replace(head.moved(temperature * offsets), temperature=temperature).decided_by(scored.utility)


def _aimed(problem: Problem, out_of_fold: Array, aim: Aim) -> Score:
    y, v, classes = problem.targets, problem.counted, problem.classes
    settled = settle(out_of_fold, y, v)
    z = out_of_fold / settled.temperature + settled.offsets
    p, alike = softmax(z, axis=1), v / max(v.sum(), np.finfo(np.float64).tiny)
    utility = utility_of(aim, p[v > 0], shares_of(y, problem.weights, classes))
    log_losses, answers = code_losses(z, y), decide(p, utility)
    by_class = half_by_class(y, v, classes)
    own = Losses(log_losses, by_class if aim.metric == "balanced_accuracy" else alike)
    wrong = np.asarray(answers != y, dtype=np.float64)
    aimed = None
    if aim.metric == "accuracy":
        aimed = Losses(wrong, alike)
    elif aim.metric == "balanced_accuracy":
        aimed = Losses(wrong, 2 * by_class - alike)
    elif aim.costs is not None:
        aimed = Losses(aim.costs[y, answers], alike)
    elif aim.code is not None:
        there = np.where(y == aim.code, p[:, aim.code], 1 - p[:, aim.code])
        aimed = Losses(-np.log(np.maximum(there, np.finfo(np.float64).tiny)), alike)
    return Score(own.mean, own, aimed, settled, utility, decided=True)
