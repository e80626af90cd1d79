"""The end of a race: what is kept is fitted on all training rows and tested once, beside those that it must beat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from headstart.artefact import Model
from headstart.automl.race.account import facts_of_race
from headstart.automl.race.average import Average, AverageCandidate, average_of
from headstart.automl.race.budget import Deadline
from headstart.automl.race.race import Race
from headstart.automl.race.ready import Ready
from headstart.automl.race.scoring import RowLosses
from headstart.automl.race.standing import Tried, leader
from headstart.errors import RaceError, TrainingError
from headstart.evidence.assess import NO_TRANSFER, Gain
from headstart.evidence.evidence import Evidence
from headstart.evidence.verdict import verdict
from headstart.messages import lasting
from headstart.study.candidates import TaskCandidate
from headstart.study.comparison import Candidate, Comparison, Contender
from headstart.study.contenders import contenders_of
from headstart.study.stopwatch import Stopwatch
from headstart.study.without_transfer import TESTED
from headstart.tasks.task import Array

__all__ = ["conclude"]

_WITHOUT = (
    "in the race the training rows, each held out of its own fit, show the model without transfer to be better; the "
    "rows to test on had no part in that"
)

PLAIN = "plain-probe"
"""The probe on the first candidate: what `fit` does without a budget."""


def conclude(race: Race, ready: Ready, watch: Stopwatch) -> tuple[Model, Evidence]:
    """The model that is kept, and its evidence. RaceError where nothing could be tried.

    What moves weights is trained again on all rows where there is time and nobody waits (Ctrl-C), and is not averaged
    with others then: on four sets of sentences that alone was as good or better (docs/decisions/0019-the-race.md).
    """
    best = race.best
    if best is None:
        reasons = "; ".join(f"{name}: {why}" for name, why in race.failures) or race.ended
        raise RaceError(f"not one candidate could be fitted ({reasons}); there is no model")
    again = best.arm.tuned and not race.interrupted and race.reserve(best) <= race.budget.left
    average = None if again else average_of(race, ready, best)
    if average is None and not best.arm.reuses:
        return _tested_without(race, ready, watch, best)
    try:
        if average is not None:
            return _tested_average(race, ready, watch, average)
        return _tested_alone(race, ready, watch, best, again=again)
    except TrainingError as error:
        frozen = leader([setting for setting in race.tried if not setting.arm.tuned], race.judge, race.folds)
        if frozen is None:
            raise
        led = best.name if average is None else average.name
        ready.notes.append(f"{led} led, but could not be fitted on all rows ({error}); {frozen.name} is kept.")
        return _tested_alone(race, ready, watch, frozen)


def _tested_average(race: Race, ready: Ready, watch: Stopwatch, average: Average) -> tuple[Model, Evidence]:
    left = max(race.budget.left, 2 * sum(setting.fold_seconds for setting in average.settings))
    tuned = any(setting.arm.tuned for setting in average.settings)
    listener = Deadline(ready.listener, left if tuned else np.inf, race.budget.clock, quiet=False)
    candidate = AverageCandidate(ready, average, listener)
    return _tested(race, ready, watch, candidate, average.name, average.losses, average.weights)


def _tested_alone(
    race: Race, ready: Ready, watch: Stopwatch, best: Tried, *, again: bool = False
) -> tuple[Model, Evidence]:
    left = max(race.budget.left - again * ready.after_fit(best.arm), 2 * best.fold_seconds)
    listener = Deadline(ready.listener, left if best.arm.tuned else np.inf, race.budget.clock, quiet=False)
    candidate = ready.candidate(best.arm, best.options, listener, again=again)
    return _tested(race, ready, watch, candidate, best.name, best.losses, {})


def _tested_without(race: Race, ready: Ready, watch: Stopwatch, best: Tried) -> tuple[Model, Evidence]:
    """What reuses nothing, in the place of the best that does."""
    over = leader(
        [setting for setting in race.tried if setting.arm.reuses and not setting.arm.tuned], race.judge, race.folds
    )
    if over is None:  # it is all that could be fitted
        return _tested(race, ready, watch, ready.candidate(best.arm, {}, ready.listener), best.name, best.losses, {})
    candidate = ready.candidate(over.arm, over.options, ready.listener)
    return _tested(race, ready, watch, candidate, best.name, best.losses, {}, why=_WITHOUT)


@dataclass(frozen=True)
class _Without:
    """The model that reuses nothing: it is kept where the race says so (`why`), or where the rows to test on show that
    transfer hurts, see `study.without_transfer`."""

    candidate: TaskCandidate
    why: str
    name: str = NO_TRANSFER

    def against(self, gains: Mapping[str, Gain], fitted: object, rows: Array) -> str:
        return self.why or (TESTED if verdict(gains[self.name].interval) == "hurts" else "")


def _tested(
    race: Race,
    ready: Ready,
    watch: Stopwatch,
    candidate: Candidate,
    name: str,
    losses: RowLosses,
    weights: Mapping[str, float],
    why: str = "",
) -> tuple[Model, Evidence]:
    facts = facts_of_race(race, name, losses, weights)
    ready.listener.say(f"after {lasting(race.budget.spent)}: {name} is kept; fitting it on all training rows")
    contenders = dict(_contenders(ready, candidate))
    arm = next((arm for arm in race.arms if not arm.reuses and candidate.name != arm.method), None)
    plain = None if arm is None else _Without(ready.candidate(arm, {}, ready.listener), why)
    comparison = Comparison(candidate, contenders, ready.trials, watch, {}, plain)
    model, evidence = comparison.run()
    notes = (*evidence.notes, *_notes(race, ready))
    return model, replace(evidence, facts=replace(evidence.facts, race=facts, left_out=()), notes=notes)


def _contenders(ready: Ready, candidate: Candidate) -> Iterator[tuple[str, Contender]]:
    """Majority, no transfer, the pretrained classifier where it knows the classes; the probe on the backbone of what
    is kept, where that moves weights, and on the first candidate."""
    first = ready.first if ready.first in ready.features else next(iter(ready.features))
    rows, backbone = ready.features[first], ready.backbones[first]
    how = (ready.extraction.as_fitted(rows.engine or {}), ready.listener)
    plain = ready.plan._replace(method="probe", options={}, control=False)
    if candidate.name == NO_TRANSFER:
        yield from contenders_of(rows, backbone, plain._replace(method=NO_TRANSFER), *how)
        return
    yield from contenders_of(rows, backbone, plain, *how)
    alone = candidate if isinstance(candidate, TaskCandidate) else None
    if alone is not None and alone.row.moves_weights:
        probe = TaskCandidate(alone.rows, alone.backbone, plain, alone.how)
        alone.beside["probe"] = probe
        yield "probe", probe.contend
    same = alone is not None and alone.rows is rows
    if not (same and alone is not None and (alone.name == "probe" or alone.row.moves_weights)):
        yield PLAIN, TaskCandidate(rows, backbone, plain, how).contend


def _notes(race: Race, ready: Ready) -> Iterator[str]:
    tried = "one setting" if len(race.tried) == 1 else f"{len(race.tried)} settings"
    yield (
        f"What is kept was found by a race among {tried} on the training rows; the rows to test on "
        "were opened once, at its end."
    )
    if any(backbone is not None for backbone in ready.backbones.values()):
        yield "There is no control from random weights: the time of the race went to candidates."
    if race.resumed:
        yield f"{race.resumed} of the settings were tried by earlier runs, whose time is not counted."
    for name in race.store.set_aside:
        yield f"A file of an earlier race was set aside as {name}: it was damaged, or of other data or options."
    yield from ready.notes
