"""`headstart.fit` within a budget: read, split, race on the training rows, fit what won on all of them, test it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from blake3 import blake3

from headstart.automl.race.backbones import backbones_for
from headstart.automl.race.budget import Budget, seconds_of
from headstart.automl.race.conclude import conclude
from headstart.automl.race.expected import Costs
from headstart.automl.race.limits import Limits, bytes_of, held_bytes, needs_of, sizes_of
from headstart.automl.race.look import rows_before
from headstart.automl.race.race import Race
from headstart.automl.race.ready import FOLDS, Ready, held_out_split, pace_of, sampled
from headstart.automl.race.scoring import Judge
from headstart.automl.race.space import Arm, arms_for
from headstart.automl.race.storage import TrialStore
from headstart.backbones.backbone import Backbone
from headstart.data.goals import goal_named, goal_of
from headstart.data.losses import require_few_lost
from headstart.data.quality.check import without_empty_classes
from headstart.data.roles import Roles
from headstart.data.unlearnt import as_learnt
from headstart.defaults import with_own_defaults
from headstart.errors import RaceError
from headstart.features.cache.cache import Cache
from headstart.features.engines.wish import Device
from headstart.features.extraction import Extraction
from headstart.features.feature_set import look, through_window
from headstart.heads.sample_weights import check_class_weight
from headstart.listener import LOGGED, SILENT, Listener
from headstart.messages import lasting
from headstart.methods.plan import Plan
from headstart.study.check import checked
from headstart.study.protocol import read_with_test, say_goal
from headstart.study.stopwatch import Stopwatch
from headstart.tasks.goal import Goal
from headstart.tasks.task import Task
from headstart.transfer import EngineChoice, Transfer

__all__ = ["fit_within"]

NO_ROLES = Roles()
REVISION = 1
"""Raised by whoever changes what trials answer: trials of an earlier revision do not count."""
_FIRST_PASS = 0.5
"""The share of the budget that the first candidate's features may take; else fewer rows are used."""
_RESUMED = 0.8
"""The share that reading the rows of an earlier race again may take."""
_FEWEST, _A_CLASS = 60, 8


class Settings(NamedTuple):
    """What a race is of, beside its data."""

    class_weight: str | None
    goal: Goal | None
    seed: int
    window: tuple[float, float] | None
    allow_losses: bool
    limits: Limits


@with_own_defaults
def fit_within(
    data: Any,
    *,
    budget: str | float,
    candidates: Sequence[str] | None = None,
    methods: Sequence[str] | None = None,
    folder: Path | None = None,
    test: Any = None,
    roles: Roles = NO_ROLES,
    kind: str | None = None,
    class_weight: str | None = None,
    goal: str | Goal | None = None,
    seed: int = 0,
    engine: EngineChoice = "auto",
    device: Device = "auto",
    cache: bool = True,
    keep_transfer: bool = False,
    allow_losses: bool = False,
    memory: str | float | None = None,
    disk: str | float | None = None,
    window: tuple[float, float] | None = None,
    clock: Callable[[], float] = time.monotonic,
    began: float | None = None,
    listener: Listener = LOGGED,
) -> Transfer:
    """The best model that is found within a budget, with evidence from rows that the race did not look at.

    budget       seconds, or a time such as "10m"; of everything from `began` (on `clock`) on, the last fit and the test
                 included
    candidates   names of backbones; None: the bundled ones that are on this machine
    methods      that are raced beside the probe, see `space`; None: all
    keep_transfer   what transfers is kept even where the model without transfer is shown to be better
    folder       where trials are kept, so that the race can be stopped and resumed; None: nowhere

    memory, disk   bytes, or a size such as "4GB", that the process and what it writes may take at most: what would take
                 more by an estimate is not begun, and named; None: no limit

    Other options as of `headstart.fit`. ValueError for what is no budget, RaceError where another race runs on the
    folder or nothing could be fitted.
    """
    running, watch = Budget(seconds_of(budget), clock=clock, began=began), Stopwatch()
    named = goal_named(goal) if isinstance(goal, str) else goal
    limits = Limits(
        None if memory is None else bytes_of(memory, "memory"), None if disk is None else bytes_of(disk, "disk")
    )
    settings = Settings(class_weight, named, seed, window, allow_losses, limits)
    task, _ = read_with_test(data, test, roles, kind, allow_losses, listener)
    check_class_weight(class_weight, task.kind)
    backbones: tuple[Backbone, ...] = ()
    notes = []
    if candidates is not None or not task.modality.has_columns:
        backbones, left_out = backbones_for(task.modality, candidates)
        notes = [f"Candidate left out: {item.name}: {item.why}." for item in left_out]
        for note in notes:
            listener.say(note)
    arms = arms_for(task.modality, task.kind, backbones, methods=methods, keep_transfer=keep_transfer)
    extraction = Extraction(engine=engine, device=device, cache=Cache() if cache else None)
    with ExitStack() as stack:
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        with watch("features"):
            data = _hash_of(task)
            before = rows_before(place, data)
            ready = _ready(task, backbones, settings, extraction, running, before, notes, listener)
        drawn = {"data": data, "rows": ready.drawn}
        store = stack.enter_context(TrialStore(place, _content(ready, arms), seed, drawn))
        race = _race(ready, arms, store, running)
        with watch("race"):
            race.run()
        model, evidence = conclude(race, ready, watch)
    fitted = Transfer(
        None if model.backbone is None else model.backbone.name,
        model.method,
        kind=task.kind,
        class_weight=class_weight,
        seed=seed,
        engine=engine,
        device=device,
        cache=cache,
        options=dict(model.options["method"]) or None,
        window=window,
        goal=named,
    )
    return fitted.conclude(model, evidence, ready.report)


def _race(ready: Ready, arms: Sequence[Arm], store: TrialStore, budget: Budget) -> Race:
    costs = Costs({name: pace.network for name, pace in ready.paces.items()}, ready.weights, ready.stages)
    part = ready.base.take(ready.train)
    task = part.task
    judge = Judge(
        np.asarray(task.targets), task.kind, max(1, len(task.classes)), ready.plan.aim(task.kind, task.classes),
        np.asarray(part.blocks),
    )  # fmt: skip
    for name in store.set_aside:
        ready.listener.say(f"a file of an earlier race was set aside as {name}")
    ready.listener.say(
        f"racing for {budget}: {len(arms)} arms, scored on {len(ready.rows)} folds of {len(ready.train):,} "
        f"training rows; {len(ready.trials.tested):,} rows are kept for the test"
    )
    return Race(arms, ready, judge, store, budget, ready.listener, costs)


def _ready(
    task: Task,
    backbones: Sequence[Backbone],
    settings: Settings,
    extraction: Extraction,
    budget: Budget,
    before: int | None,
    notes: list[str],
    listener: Listener,
) -> Ready:
    """Rows and split, with the features of the fastest candidate."""
    backbones, beyond = _within(backbones, task, settings.limits, cached=extraction.cache is not None)
    for note in beyond:
        notes.append(note)
        listener.say(note)
    paces = {backbone.name: pace_of(backbone, task, extraction, SILENT) for backbone in backbones}
    fastest = min(backbones, key=lambda backbone: paces[backbone.name].features, default=None)
    pace = 0.0 if fastest is None else paces[fastest.name].features
    task, drawn, note = _affordable(task, pace, settings, budget, before)
    if note:
        notes.append(note)
        listener.say(note)
    aimed = goal_of(settings.goal, task)
    say_goal(aimed, task.kind, settings.goal, listener)
    backbone, task = through_window(fastest, task, (), settings.window, listener)
    seen = look(task, backbone, extraction, listener)
    require_few_lost(seen.task, allow=settings.allow_losses, learnt=True)
    seen, report = checked(seen, listener)
    seen = replace(seen, task=as_learnt(without_empty_classes(seen.task)))
    plan = Plan("probe", settings.class_weight, settings.seed, goal=aimed, control=False)
    by_name: dict[str | None, Backbone | None] = {each.name: each for each in backbones} or {None: None}
    name = None if fastest is None else fastest.name
    by_name[name] = backbone
    trials = held_out_split(seen, settings.seed)
    how = (extraction, settings.window, report, listener, settings.limits, drawn, notes)
    return Ready(seen, trials, plan, by_name, {name: seen}, paces, *how)


def _within(
    backbones: Sequence[Backbone], task: Task, limits: Limits, *, cached: bool
) -> tuple[list[Backbone], list[str]]:
    """Those whose features alone stay within the limits, and notes of the others. RaceError where none is left."""
    if not limits or not backbones:
        return list(backbones), []
    left, notes, held = [], [], held_bytes()
    for backbone in backbones:
        needs = needs_of(
            Arm(backbone.name, "probe"), {}, sizes_of(backbone, task), backbone.dim, len(task), cached=cached
        )
        if why := limits.obstacle(needs._replace(memory=held + needs.memory)):
            notes.append(f"Candidate left out: {backbone.name}: {why}.")
        else:
            left.append(backbone)
    if not left:
        raise RaceError(f"no candidate stays within the limits: {' '.join(notes)}")
    return left, notes


def _affordable(
    task: Task, pace: float, settings: Settings, budget: Budget, before: int | None
) -> tuple[Task, int, str]:
    """The task, or as many of its rows as the first pass may take; how many; and a note that says what all would take.

    before   of how many rows of the same data an earlier race is: this one goes on with them where reading them again
             can be paid for (their trials are there), unless all can be, or twice as many
    """
    rows, a_row = len(task), pace + 0.005 * (1 + FOLDS)
    needed, allowed = 5.0 + rows * a_row, _FIRST_PASS * budget.left
    least = min(rows, max(_FEWEST, _A_CLASS * len(task.classes)))
    count = rows if needed <= allowed else min(rows, max(least, int((allowed - 5.0) / a_row)))
    if before is not None and count < min(rows, 2 * before) and 5.0 + before * pace <= _RESUMED * budget.left:
        count = min(rows, before)
    if count >= rows:
        return task, rows, ""
    note = (
        f"The budget of {budget} is too small for one pass over all {rows:,} rows: {count:,} of them are used. With "
        f"--budget {lasting(needed / _FIRST_PASS).replace(' ', '')} all would be."
    )
    return sampled(task, count, settings.seed), count, note


def _hash_of(task: Task) -> str:
    """By which the data of an earlier race are known before a row is read: names and targets."""
    return blake3(repr((list(task.names), np.asarray(task.targets).tolist(), str(task.kind))).encode()).hexdigest()


def _content(ready: Ready, arms: Sequence[Arm]) -> str:
    """A hash of all that trials hang on: rows, targets, split, goal, and how arms are set up. Other candidates of the
    same race are other arms, whose trials stand beside."""
    task = ready.base.task
    digest = blake3(str(REVISION).encode())
    for key in ready.base.keys:
        digest.update(key)
    digest.update(repr(np.asarray(task.targets).tolist()).encode())
    digest.update(repr([rows.tolist() for rows in ready.rows]).encode())
    digest.update(ready.train.astype("<i8").tobytes())
    plan = ready.plan
    digest.update(repr((plan.class_weight, plan.seed, plan.goal, str(task.kind), task.classes)).encode())
    if task.weight is not None:
        digest.update(np.asarray(task.weight, dtype="<f8").tobytes())
    return digest.hexdigest()
