"""What every candidate loses on the same held-out rows, row by row, so that any two are compared on the rows of both.

own     log loss in nats of the probabilities, by rows, or half by rows and half by classes where every class is to
        count alike; of F1 of a class that of the class against the rest; squared or absolute error of values, in units
        of what the mean (or median) loses
aimed   wrong answers, by rows or by classes, or costs; None where that would say no more than `own`

One is better than another where its mean loss is lower by more than a standard error of the paired difference, rows of
a block counting as drawn together (Breiman et al., 1984, section 3.4.3; `heads.paired`), and the other measure does not
speak against it in the same way.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from headstart.heads.paired import standard_error
from headstart.heads.prior import half_by_class
from headstart.tasks.goal import Aim, Answers, Decided
from headstart.tasks.task import Array, Kind

__all__ = ["Apart", "Judge", "RowLosses"]

_FLOOR = 1e-6
"""Below which a probability is taken to be this: the loss of a row is at most 13.8 nats."""


class RowLosses(NamedTuple):
    """own (N,) and aimed (N,) of rows, NaN where a row was not answered; aimed is None where it is not counted."""

    own: Array
    aimed: Array | None

    @property
    def answered(self) -> Array:
        """(N,) bool."""
        return np.isfinite(self.own)


class Apart(NamedTuple):
    """By how much one loses less than another on the rows that both answered, and the standard error of that; 0 rows:
    nothing is known."""

    gain: float
    error: float
    aimed_gain: float
    aimed_error: float
    rows: int

    @property
    def better(self) -> bool:
        """Whether one is better beyond a standard error in one measure, and not worse beyond one in the other."""
        own, aimed = self.gain > self.error, self.aimed_gain > self.aimed_error
        worse = self.gain < -self.error or self.aimed_gain < -self.aimed_error
        return self.rows > 0 and (own or aimed) and not worse


class Judge:
    """Of answers to the rows of one task, whose targets are known.

    blocks   (N,) rows of one number were drawn together
    """

    def __init__(self, targets: Array, kind: Kind, classes: int, aim: Aim, blocks: Array) -> None:
        self.targets, self.kind, self.classes, self.aim, self.blocks = targets, kind, classes, aim, blocks
        self.weights = np.full(len(targets), 1 / max(1, len(targets)))
        self.aimed_weights = self.weights
        if kind.exclusive and aim.metric == "balanced_accuracy":
            self.weights = half_by_class(targets, np.ones(len(targets)), classes)
            self.aimed_weights = 2 * self.weights - 1 / max(1, len(targets))

    def losses(self, answers: Answers, rows: Array) -> RowLosses:
        """(N,) of all rows, from answers to these; ValueError where they are not finite."""
        decided = answers if isinstance(answers, Decided) else Decided(answers, self.kind.decide(answers))
        if not np.isfinite(decided.predictions).all():
            raise ValueError("some answers are NaN or infinite")
        own, aimed = np.full(len(self.targets), np.nan), np.full(len(self.targets), np.nan)
        own[rows] = self._own(decided.predictions, rows)
        lost = self._aimed(decided.decisions, rows)
        if lost is None:
            return RowLosses(own, None)
        aimed[rows] = lost
        return RowLosses(own, aimed)

    def mean(self, losses: RowLosses) -> float:
        """The weighted mean own loss of the rows that are answered."""
        there = losses.answered
        return float(np.average(losses.own[there], weights=self.weights[there]))

    def apart(self, losses: RowLosses, other: RowLosses) -> Apart:
        """By how much the one loses less than the other."""
        both = np.flatnonzero(losses.answered & other.answered)
        if not len(both):
            return Apart(0.0, 0.0, 0.0, 0.0, 0)
        own = self._paired(other.own - losses.own, self.weights, both)
        aimed = (0.0, 0.0)
        if losses.aimed is not None and other.aimed is not None:
            aimed = self._paired(other.aimed - losses.aimed, self.aimed_weights, both)
        return Apart(*own, *aimed, len(both))

    def _paired(self, gains: Array, weights: Array, rows: Array) -> tuple[float, float]:
        shares = weights[rows] / weights[rows].sum()
        return float(shares @ gains[rows]), standard_error(gains[rows], shares, self.blocks[rows])

    def _own(self, predictions: Array, rows: Array) -> Array:
        targets = self.targets[rows]
        if not self.kind.has_classes:
            return self._errors(predictions, targets)
        if self.kind.several:
            right = np.where(targets > 0, predictions, 1 - predictions)
            return np.asarray(-np.log(np.clip(right, _FLOOR, None)).mean(axis=1))
        if self.aim.code is not None:
            of_class = predictions[:, self.aim.code]
            right = np.where(targets == self.aim.code, of_class, 1 - of_class)
        else:
            right = predictions[np.arange(len(rows)), targets]
        return np.asarray(-np.log(np.clip(right, _FLOOR, None)))

    def _errors(self, values: Array, targets: Array) -> Array:
        if self.aim.metric == "mae":
            unit = np.abs(self.targets - np.median(self.targets)).mean()
            return np.asarray(np.abs(values - targets) / (unit or 1.0))
        return np.asarray(np.square(values - targets) / (np.var(self.targets) or 1.0))

    def _aimed(self, decisions: Array, rows: Array) -> Array | None:
        if not self.kind.exclusive:
            return None
        truth, answered = self.targets[rows], np.asarray(decisions).astype(np.int64)
        if self.aim.costs is not None:
            return np.asarray(self.aim.costs[truth, answered], dtype=np.float64)
        if self.aim.metric in ("accuracy", "balanced_accuracy", "macro_f1", "micro_f1"):
            return np.asarray(answered != truth, dtype=np.float64)
        return None
