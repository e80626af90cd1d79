"""What one fit answered and what it cost, which is kept beside the answers: an answer from the cache says what it took
when it was calculated."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import NamedTuple

import numpy as np

from headstart.features.cache.answers import Entry
from headstart.study.content import packed, unpacked
from headstart.tasks.goal import Answers

__all__ = ["Clock", "FitCost", "Measured", "Outcome", "measured", "store", "stored_in"]


class Outcome(NamedTuple):
    """Of one fit: its answers, how many figures were learnt (-1: not counted), and optimizer steps (0: none)."""

    answers: Answers
    parameters: int = -1
    steps: int = 0


class FitCost(NamedTuple):
    """Of one fit and its answers, features of a frozen backbone apart.

    seconds      on the wall
    cpu_seconds  of this process, over all its threads
    parameters   how many figures were learnt; -1: not counted
    steps        of an optimizer, in the training that is stopped by rows held out; 0: none
    """

    seconds: float
    cpu_seconds: float
    parameters: int = -1
    steps: int = 0

    @classmethod
    def mean(cls, costs: Sequence[FitCost]) -> FitCost:
        """Of several fits: means, and the most that were learnt."""
        seconds, cpu_seconds, parameters, steps = zip(*costs, strict=True)
        mean = [float(np.mean(each)) for each in (seconds, cpu_seconds, steps)]
        return cls(mean[0], mean[1], max(parameters), round(mean[2]))


class Measured(NamedTuple):
    """The answers, the cost of the fit that gave them, and whether that was in an earlier run."""

    answers: Answers
    cost: FitCost
    kept: bool


class Clock:
    """Times a block, on the wall and over all threads of the process."""

    def __enter__(self) -> Clock:
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._wall, self._cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu

    def measured(self, outcome: Outcome) -> Measured:
        """What came of the block that is over, with its cost."""
        return Measured(outcome.answers, FitCost(self._wall, self._cpu, outcome.parameters, outcome.steps), False)


def stored_in(entry: Entry) -> Measured | None:
    """What is kept there; None where nothing is."""
    stored = entry.read()
    if stored is None:
        return None
    (seconds, cpu_seconds, parameters, steps), *answers = stored
    cost = FitCost(float(seconds), float(cpu_seconds), int(parameters), int(steps))
    return Measured(unpacked(tuple(answers)), cost, True)


def store(result: Measured, entry: Entry) -> None:
    """Keep it there, where there is room."""
    entry.write((np.array(result.cost, np.float64), *packed(result.answers)))


def measured(entry: Entry, compute: Callable[[], Outcome]) -> Measured:
    """What is kept in an entry, or else computed, timed and kept now."""
    result = stored_in(entry)
    if result is None:
        with Clock() as clock:
            outcome = compute()
        result = clock.measured(outcome)
        store(result, entry)
    return result
