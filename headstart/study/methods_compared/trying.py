"""All ways, one after the other, on the same trials; what one of them fails at does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import torch

from headstart.errors import HeadstartError, TrainingError
from headstart.features.engines.device_errors import is_out_of_memory
from headstart.features.workers import each, workers
from headstart.listener import Listener
from headstart.messages import lasting
from headstart.study.measured import FitCost, Measured
from headstart.study.methods_compared.ways import Way
from headstart.study.resampling import Trials
from headstart.tasks.goal import Answers, Decided

__all__ = ["Finished", "Tried", "all_kept", "try_all"]


_FAILURES = (HeadstartError, ValueError, ImportError, MemoryError, RuntimeError)


class Finished(NamedTuple):
    """A way that has answered every trial.

    answers   to all rows that are tested, (R, T, ...) with a layer a repeat
    cost      of one fit, the mean over trials
    kept      whether all of that is from an earlier run
    """

    way: Way
    answers: Answers
    cost: FitCost
    kept: bool


class Tried(NamedTuple):
    """failed: (way, why); waiting: those that were not finished when the user interrupted; None where nobody did."""

    finished: list[Finished]
    failed: list[tuple[Way, Exception]]
    waiting: list[Way] | None = None


def try_all(
    ways: Sequence[Way], trials: Trials, listener: Listener, before_tuning: Callable[[list[Way]], None]
) -> Tried:
    """Those that move no weights first, and what transfers nothing last: of an interrupted run there is then most to
    see.

    before_tuning   is told of those that move weights and that no earlier run has answered, if there are any
    """
    frozen, moving = [way for way in ways if not way.moves], [way for way in ways if way.moves]
    queue = [*frozen, *sorted(moving, key=lambda way: not way.transfers)]
    tried = Tried([], [])
    try:
        earlier = _measured(frozen, trials)
        for way in frozen:
            _try(way, trials, listener, tried, earlier.get(way.name))
        if new := [way for way in queue if way.moves and not all_kept(way, trials)]:
            before_tuning(new)
        earlier = _measured(queue[len(frozen) :], trials)
        for way in queue[len(frozen) :]:
            _try(way, trials, listener, tried, earlier.get(way.name))
    except KeyboardInterrupt:
        done = {each.way.name for each in tried.finished} | {way.name for way, _ in tried.failed}
        return tried._replace(waiting=[way for way in ways if way.name not in done])
    return tried


def all_kept(way: Way, trials: Trials) -> bool:
    """Whether an earlier run has answered every trial."""
    return all(way.is_kept(trial.train, trial.test) for trial in trials.trials)


def _measured(ways: Sequence[Way], trials: Trials) -> dict[str, list[Measured | Exception]]:
    """By way, what each trial gave, or what it raised, where workers did them all at once; {} where there are none."""
    if workers() is None or not ways:
        return {}
    pairs = [(way, trial) for way in range(len(ways)) for trial in range(len(trials.trials))]
    results = iter(each(partial(_outcome, list(ways), trials), pairs, "fits"))
    return {way.name: [next(results) for _ in trials.trials] for way in ways}


def _outcome(ways: Sequence[Way], trials: Trials, pair: tuple[int, int]) -> Measured | Exception:
    trial = trials.trials[pair[1]]
    try:
        return ways[pair[0]].measure(trial.train, trial.test)
    except _FAILURES as error:
        return error


def _done(result: Measured | Exception) -> Measured:
    if isinstance(result, Exception):
        raise result
    return result


def _try(
    way: Way, trials: Trials, listener: Listener, tried: Tried, earlier: Sequence[Measured | Exception] | None
) -> None:
    """It is finished, or failed for a reason that is told; by workers `earlier`, or now."""
    try:
        if earlier is None:
            results = [_finite(way.measure(trial.train, trial.test)) for trial in trials.trials]
        else:
            results = [_finite(_done(result)) for result in earlier]
    except _FAILURES as error:
        if not _is_its_own(error):
            raise
        listener.say(f"  {way.name} failed: {error}")
        tried.failed.append((way, error))
        return
    cost = FitCost.mean([result.cost for result in results])
    kept = all(result.kept for result in results)
    tried.finished.append(Finished(way, trials.joined([result.answers for result in results]), cost, kept))
    fits = f"{len(results)} fits" if len(results) > 1 else "a fit"
    took = f"{fits} of {lasting(cost.seconds)}"
    listener.say(f"  {way.name}: {took}, answered by an earlier run" if kept else f"  {way.name}: {took}")


def _finite(result: Measured) -> Measured:
    """The same; TrainingError where answers are not finite, as of weights that ran away in their last step."""
    answers = result.answers
    predictions = answers.predictions if isinstance(answers, Decided) else answers
    if not np.isfinite(predictions).all():
        raise TrainingError("its answers are not finite: give a lower learning rate, such as --option lr=1e-5")
    return result


def _is_its_own(error: Exception) -> bool:
    """Whether it is a way that failed, and not headstart: a RuntimeError is where memory has run out."""
    if not isinstance(error, RuntimeError) or isinstance(error, torch.OutOfMemoryError):
        return True
    return is_out_of_memory(error) or "allocate memory" in str(error)
