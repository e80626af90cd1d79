"""What out-of-fold logits are worth, row by row, so that two candidates can be compared on the same rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from headstart.heads.calibrate import row_log_losses
from headstart.heads.likelihood import code_losses
from headstart.heads.prior import Settled, half_by_class, settle
from headstart.heads.problem import Problem
from headstart.tasks.task import Array

__all__ = ["Score", "score"]


class Score(NamedTuple):
    """loss      mean log loss in nats, half of it over rows and half over classes where `settled`; or the RMSE
    rows      (N,) losses of rows in `order`: log loss, or squared error
    weights   (N,) what each row counts; they sum to 1
    settled   the temperature and offsets at which rows lose as little
    """

    loss: float
    rows: Array
    weights: Array
    settled: Settled

    @property
    def mean(self) -> float:
        """The mean of `rows`: what candidates are compared by."""
        return float(self.rows @ self.weights)


def score(problem: Problem, out_of_fold: Array, *, shares: bool) -> Score:
    """Score logits (N, C), rows in `order`.

    shares   settle how much the classes' shares count (`prior.py`) and weigh classes by half; classification only.
             Otherwise the temperature alone
    """
    if not problem.kind.has_classes:
        squares = np.square(out_of_fold - problem.truth)[:, 0]
        weights = np.full(len(squares), 1 / len(squares))
        return Score(float(np.sqrt(squares.mean())), squares, weights, Settled(1.0, np.zeros(1), 0.0))
    if problem.kind.exclusive and shares:
        settled, v = settle(out_of_fold, problem.targets, problem.counted), problem.counted
        losses = code_losses(out_of_fold / settled.temperature + settled.offsets, problem.targets)
        return Score(settled.loss, losses, half_by_class(problem.targets, v, problem.classes), settled)
    temperature, loss = problem.score(out_of_fold)
    losses, weights = row_log_losses(out_of_fold / temperature, problem.targets, problem.kind, problem.counted)
    return Score(loss, losses, weights, Settled(temperature, np.zeros(problem.columns), loss))
