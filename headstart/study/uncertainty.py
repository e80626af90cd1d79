"""How far the answers of the model that is kept can be relied on: what it stores for that, and what held-out rows say.

A model that was tested on one held-out split is calibrated by what its fit says out of fold of the rows that it learnt
from; the rows that are tested have no part in that. Where all rows were tested by cross-validation, each is answered by
a model that did not learn from it: these answers calibrate the model that is kept (cross-conformal; Vovk, 2015), and
the sets of each fold are tested with thresholds from the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from headstart.evidence.held_out import HeldOut
from headstart.evidence.intervals import Interval
from headstart.evidence.uncertainty import AlarmFacts, SelectiveFacts, SetFacts, UncertaintyFacts, share
from headstart.linalg.blas import one_thread
from headstart.methods.uncertainty import Calibration, trained_on
from headstart.study.resampling import Trials
from headstart.tasks.goal import Answers
from headstart.tasks.kind import Kind
from headstart.tasks.task import Array
from headstart.uncertainty.conformal import Conformity, groups
from headstart.uncertainty.decided import Decided
from headstart.uncertainty.out_of_distribution import RATE, OutOfDistribution, Placed
from headstart.uncertainty.quantile import threshold
from headstart.uncertainty.selective import confidence_threshold
from headstart.uncertainty.stored import Uncertainty

__all__ = ["ACCURACY", "COVERAGE", "Kept", "assessed"]

COVERAGE, ACCURACY = 0.9, 0.95
"""What sets are tested for, and answers that are withheld, in the evidence."""


class Kept(NamedTuple):
    """The model that is kept.

    rows         that it learnt from, by number
    answers      to the rows that were tested, (R, T, ...)
    held_out     these rows
    calibration  what its fit says out of fold; None where it makes no such answers
    placed       where all rows lie, by number; None where features have no distances
    """

    rows: Array
    answers: Answers
    held_out: HeldOut
    calibration: Calibration | None
    placed: Placed | None


class _Fold(NamedTuple):
    """Tested rows, by place among the tested, of a repeat, and what calibrates their sets."""

    repeat: int
    tested: Array
    calibration: Calibration


def assessed(kept: Kept, trials: Trials) -> tuple[Uncertainty | None, UncertaintyFacts | None]:
    """What the model stores, and what is known of it; None of either where nothing is."""
    kind = kept.held_out.kind
    if kind.parts:
        return None, None
    folds = list(_folds(kept, trials))
    final = kept.calibration if trials.held_out else _first_repeat(kept)
    conformity = None if final is None else Conformity.of(kind, final.predictions, final.targets)
    sets = _sets(kept, folds) if folds else None
    selective = _selective(kept, folds) if folds and kind.exclusive else None
    where, alarms = kept.placed, None
    learnt = trained_on(None if where is None else where.take(kept.rows))
    if where is not None and learnt.distribution is not None:
        with one_thread():
            alarms = _alarms(kept, where, learnt.distribution, trials)
    facts = UncertaintyFacts(sets, selective, alarms)
    stored = replace(learnt, conformity=conformity, decided=_decided(kept, final))
    return stored if stored.arrays() else None, facts if any(facts) else None


def _decided(kept: Kept, calibration: Calibration | None) -> Decided | None:
    """How often each class is answered: out of fold, or else to the rows that were tested."""
    held_out = kept.held_out
    decisions = held_out.repeats(kept.answers)[0].decisions if calibration is None else calibration.decisions
    classes = len(held_out.classes) if held_out.learnt is None else held_out.learnt
    if held_out.kind.several:
        decisions = decisions[:, :classes]
    return Decided.of(held_out.kind, decisions, classes)


def _folds(kept: Kept, trials: Trials) -> Iterator[_Fold]:
    if trials.held_out:
        if kept.calibration is not None:
            yield _Fold(0, np.arange(len(trials.tested)), kept.calibration)
        return
    repeats = kept.held_out.repeats(kept.answers)
    place = np.full(int(trials.tested.max()) + 1, -1)
    place[trials.tested] = np.arange(len(trials.tested))
    for trial in trials.trials:
        tested = place[trial.test]
        others = np.setdiff1d(np.arange(len(trials.tested)), tested)
        predictions, decisions = repeats[trial.repeat]
        yield _Fold(
            trial.repeat, tested, Calibration(predictions[others], decisions[others], kept.held_out.targets[others])
        )


def _first_repeat(kept: Kept) -> Calibration:
    """Each row once, so that the scores count as many as there are rows."""
    predictions, decisions = kept.held_out.repeats(kept.answers)[0]
    return Calibration(predictions, decisions, kept.held_out.targets)


def _sets(kept: Kept, folds: list[_Fold]) -> SetFacts | None:
    """How often sets hold the true answer; None where the rows are so few that no interval can be promised."""
    held_out, kind = kept.held_out, kept.held_out.kind
    repeats = held_out.repeats(kept.answers)
    covered, sizes, single = (np.zeros((len(repeats), len(held_out.targets))) for _ in range(3))
    for repeat, tested, calibration in folds:
        conformity = Conformity.of(kind, calibration.predictions, calibration.targets)
        predictions, targets = repeats[repeat].predictions[tested], held_out.targets[tested]
        if not kind.has_classes:
            if not np.isfinite(threshold(conformity.truth, COVERAGE)):
                return None
            ends = conformity.intervals(predictions, COVERAGE)
            covered[repeat, tested] = (ends[:, 0] <= targets) & (targets <= ends[:, 1])
            sizes[repeat, tested] = ends[:, 1] - ends[:, 0]
            continue
        inside = conformity.sets(predictions[:, : conformity.classes], COVERAGE)
        covered[repeat, tested] = _covered(kind, inside, targets)
        sizes[repeat, tested] = inside.sum(axis=1)
        single[repeat, tested] = inside.sum(axis=1) == 1
    return SetFacts(
        COVERAGE,
        share(covered.mean(axis=0), held_out.group),
        float(sizes.mean()),
        float(single.mean()) if kind.has_classes else None,
        _thresholds(kind, folds[0].calibration),
    )


def _covered(kind: Kind, inside: Array, targets: Array) -> Array:
    """(n,) whether a set holds all that is true of a row; a class that was not learnt is in none."""
    classes = inside.shape[1]
    if kind.several:
        learnt = targets[:, :classes] > 0
        return np.asarray((inside | ~learnt).all(axis=1) & ~targets[:, classes:].any(axis=1))
    known = targets < classes
    return np.asarray(known & inside[np.arange(len(targets)), np.where(known, targets, 0)])


def _thresholds(kind: Kind, calibration: Calibration) -> int:
    if not kind.exclusive:
        return 1
    return int(groups(np.bincount(calibration.targets, minlength=calibration.predictions.shape[1])).max()) + 1


def _selective(kept: Kept, folds: list[_Fold]) -> SelectiveFacts:
    held_out = kept.held_out
    repeats = held_out.repeats(kept.answers)
    answered, right = (np.zeros((len(repeats), len(held_out.targets))) for _ in range(2))
    for repeat, tested, (predictions, decisions, targets, _) in folds:
        limit = confidence_threshold(_sure(predictions, decisions), decisions == targets, ACCURACY)
        new = repeats[repeat]
        answered[repeat, tested] = _sure(new.predictions[tested], new.decisions[tested]) >= limit
        right[repeat, tested] = new.decisions[tested] == held_out.targets[tested]
    counted = answered.mean(axis=0)
    hits = (answered * right).mean(axis=0)
    accuracy = share(np.divide(hits, counted, out=np.zeros_like(hits), where=counted > 0), held_out.group, counted)
    return SelectiveFacts(ACCURACY, share(counted, held_out.group), accuracy)


def _sure(predictions: Array, decisions: Array) -> Array:
    """(n,) the probability of the answer that is given."""
    return np.asarray(np.take_along_axis(predictions, np.asarray(decisions, np.int64)[:, None], axis=1)[:, 0])


def _alarms(kept: Kept, where: Placed, distribution: OutOfDistribution, trials: Trials) -> AlarmFacts:
    """How many of the rows that are tested are flagged; of repeats of cross-validation the first is looked at."""
    group = kept.held_out.group
    if trials.held_out:
        flagged = distribution.flags(where.features[trials.tested])
        return AlarmFacts(distribution.promised(), share(flagged.astype(float), group))
    flags, rates = np.zeros(len(where.features)), []
    for trial in trials.trials[: trials.folds]:
        of_others = OutOfDistribution.of(where.take(trial.train))
        if of_others is None:
            return AlarmFacts(RATE, Interval(np.nan))
        flags[trial.test] = of_others.flags(where.features[trial.test])
        rates.append(of_others.promised())
    return AlarmFacts(float(np.mean(rates)), share(flags[trials.tested], group))
