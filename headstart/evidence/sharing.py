"""Did tasks gain by being learnt together? Each against itself learnt alone, and all of them in the mean.

The gain of a task is the paired difference of its headline score over the same learner on that task by itself, on the
same held-out rows. The gain in all is the mean over tasks (of balanced accuracy, macro F1 and R2, all of which are 1 at
best); rows, or blocks of them, are drawn once for all tasks, so that what tasks have in common is counted once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from scipy import sparse

from headstart.evidence.assess import Gain
from headstart.evidence.bootstrap import RESAMPLES, unit_weights
from headstart.evidence.held_out import HeldOut
from headstart.evidence.intervals import Draws, interval
from headstart.evidence.scores import scores_of_sums
from headstart.evidence.tally import tally
from headstart.evidence.verdict import Verdict, verdict
from headstart.tasks.goal import Answers
from headstart.tasks.task import Array

__all__ = ["ALONE", "Learnt", "Sharing", "TaskAnswers", "hurt", "mean_gain"]

ALONE = "alone"
Tallies = tuple[list[sparse.csr_array], list[sparse.csr_array]]
Learnt = Literal["together", "alone", "probe"]


class Sharing(NamedTuple):
    """Of one task, or of all.

    gain, verdict   over the same learner alone; None where nothing is shared
    learnt          how the model that is kept learnt it: together with the others, or alone; of all tasks: ""
    """

    gain: Gain | None
    verdict: Verdict | None
    learnt: Learnt | Literal[""] = ""

    @classmethod
    def of(cls, gain: Gain | None, learnt: Learnt | Literal[""] = "") -> Sharing:
        """With the verdict that goes with the gain."""
        return cls(gain, None if gain is None else verdict(gain.interval), learnt)


class TaskAnswers(NamedTuple):
    """One task on the rows that it was tested on.

    units   (N,) the number of the unit (a row, or a block) of each row, the same for all tasks
    """

    held: HeldOut
    units: Array
    together: Answers
    alone: Answers


def mean_gain(tasks: Sequence[TaskAnswers], *, resamples: int = RESAMPLES, seed: int = 0) -> Gain:
    """The mean over tasks of what sharing gained, with its interval. ValueError where there is no task."""
    if not tasks:
        raise ValueError("there is no task to compare: give one or more")
    units = np.unique(
        np.concatenate([task.units for task in tasks])
    )  # of rows that nobody was tested on there are none
    count = len(units)
    tallies = [_tallies(task, np.searchsorted(units, task.units), count) for task in tasks]
    value = _mean([_difference(task, both, np.ones((count, 1))) for task, both in zip(tasks, tallies, strict=True)])
    drawn = [
        _mean([_difference(task, both, weights) for task, both in zip(tasks, tallies, strict=True)])
        for weights in unit_weights(count, resamples, seed)
    ]
    draws = Draws(float(value[0]), np.concatenate(drawn), count, (-math.inf, math.inf), None, True)
    return Gain("mean over tasks", ALONE, *interval(draws))


def _tallies(task: TaskAnswers, codes: Array, count: int) -> Tallies:
    """(K, U) of each repeat, of both models."""
    rows = len(codes)
    units = sparse.csr_array((np.ones(rows), (codes, np.arange(rows))), shape=(count, rows))
    together, alone = (
        [sparse.csr_array((units @ tally(task.held, answers)).T) for answers in task.held.repeats(of)]
        for of in (task.together, task.alone)
    )
    return together, alone


def _difference(task: TaskAnswers, tallies: Tallies, weights: Array) -> Array:
    """(B,) of the headline score; NaN where a draw holds none of the task's rows."""
    together, alone = (_score(task.held, repeats, weights) for repeats in tallies)
    return together - alone


def _score(held_out: HeldOut, repeats: list[sparse.csr_array], weights: Array) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = [scores_of_sums(np.asarray(sums @ weights), held_out)[held_out.headline] for sums in repeats]
    return np.asarray(np.mean(scores, axis=0))


def _mean(differences: Sequence[Array]) -> Array:
    return np.asarray(np.mean(differences, axis=0))


def hurt(sharing: Mapping[str, Sharing]) -> tuple[str, ...]:
    """The tasks that are worse together, by name."""
    return tuple(name for name, result in sharing.items() if result.verdict == "hurts")
