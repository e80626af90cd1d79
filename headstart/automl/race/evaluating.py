"""Who answers the trials of a race, and the folds of a trial: one after the other, or all at once by workers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from headstart.automl.race.space import Arm
from headstart.features.workers import each, workers
from headstart.listener import Listener
from headstart.tasks.goal import Answers
from headstart.tasks.task import Array

__all__ = ["Evaluating", "answered"]


class Evaluating(Protocol):
    """Who fits and answers, fold by fold.

    rows   (N,) numbers of the rows of each fold
    """

    rows: Sequence[Array]

    def answers(self, arm: Arm, options: Mapping[str, Any], fold: int, listener: Listener) -> Answers:
        """What is learnt from the other folds answers to this one."""

    def preparation(self, arm: Arm) -> float:
        """Seconds until an arm can be tried at all: loading its backbone and computing features."""

    def prepare(self, arm: Arm, listener: Listener) -> None:
        """Do that."""

    def obstacle(self, arm: Arm, options: Mapping[str, Any]) -> str:
        """Why an arm may not be begun, by what it would take of memory and disk; "" where it may."""

    def closing(self, arm: Arm, fold_seconds: float, *, again: bool = False) -> float:
        """Seconds to fit a setting on all rows, to test it and to save it; with `again`, to train it a second time on
        the rows that told when to stop, too."""

    def took(self, arm: Arm, seconds: float) -> None:
        """So long it took to answer to a fold."""


def answered(
    evaluating: Evaluating,
    arm: Arm,
    options: Mapping[str, Any],
    folds: Sequence[int],
    listener: Listener,
    clock: Callable[[], float],
) -> Iterable[tuple[Answers, float]]:
    """The answers to each fold, and the seconds that they took.

    listener   hears of progress, by which a trial whose time is over is ended
    """
    trial = partial(_timed, evaluating, arm, options, listener, clock)
    return map(trial, folds) if workers() is None else each(trial, folds, "folds", listener)


def _timed(
    evaluating: Evaluating,
    arm: Arm,
    options: Mapping[str, Any],
    listener: Listener,
    clock: Callable[[], float],
    fold: int,
) -> tuple[Answers, float]:
    began = clock()
    answers = evaluating.answers(arm, options, fold, listener)
    return answers, clock() - began
