"""What more labels would bring (`headstart.curve`): read, check, hold out as `fit` does, and fit on subsamples."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from headstart.automl.learning_curves.extrapolation import FACTORS, Extrapolation, extrapolate
from headstart.automl.learning_curves.intersection import meeting_of
from headstart.automl.learning_curves.measure import Errors, Study, draws_of, error_of, measure
from headstart.automl.learning_curves.record import Curve, Forecast, Line, Point
from headstart.automl.learning_curves.subsamples import A_CLASS, SMALLEST, named_sizes, sizes_for
from headstart.checks import whole
from headstart.data.goals import goal_named, goal_of
from headstart.data.losses import require_few_lost
from headstart.data.quality.check import without_empty_classes
from headstart.data.roles import Roles
from headstart.data.unlearnt import as_learnt
from headstart.defaults import with_own_defaults
from headstart.errors import DataError
from headstart.evidence.assess import NO_TRANSFER
from headstart.evidence.intervals import Interval
from headstart.evidence.scores import LOWER_IS_BETTER
from headstart.features.engines.wish import Device
from headstart.features.feature_set import FeatureSet
from headstart.heads.sample_weights import check_class_weight
from headstart.listener import LOGGED, Listener
from headstart.methods.table import configured
from headstart.study.candidates import TaskCandidate
from headstart.study.check import checked
from headstart.study.comparison import Contender, held_out_of
from headstart.study.contenders import contenders_of
from headstart.study.pretrained import RANDOM
from headstart.study.protocol import read_with_test
from headstart.study.resampling import REPEATS, Trials, plan_trials
from headstart.study.stopwatch import Stopwatch
from headstart.tasks.goal import Goal
from headstart.transfer import EngineChoice, Transfer

__all__ = ["DRAWS", "curve", "study_of"]

DRAWS = 5
"""Draws of subsamples from one training split; a repeat of cross-validation draws in each fold."""
NO_ROLES = Roles()


@with_own_defaults
def curve(
    data: Any,
    *,
    test: Any = None,
    backbone: str | None = None,
    method: str = "probe",
    roles: Roles = NO_ROLES,
    kind: str | None = None,
    sizes: Sequence[int] | None = None,
    draws: int | None = None,
    goal: str | Goal | None = None,
    class_weight: str | None = None,
    seed: int = 0,
    engine: EngineChoice = "auto",
    device: Device = "auto",
    cache: bool = True,
    options: dict[str, Any] | None = None,
    control: bool = False,
    allow_losses: bool = False,
    window: tuple[float, float] | None = None,
    listener: Listener = LOGGED,
) -> Curve:
    """What more labels would bring: scores of nested subsamples, with transfer and without, and a power law.

    sizes    of the subsamples; None: eight, from ten rows, or two of each class, to all that are there to learn from
    draws    of subsamples of each size, two or more; None: 5 of a training split, 3 of each fold of a cross-validation
    goal     by which score, as in `fit`: heads are chosen and answers decided for it
    method   one that moves no weights, as features are computed once
    control  the same network from random weights too, whose features must be computed

    The other options are those of `fit`, which holds out the same rows. Raises DataError where the data cannot be used
    or the rows are too few, ValueError for sizes, draws, a goal or a method that cannot be.
    """
    watch = Stopwatch()
    _suits(method, options or {}, seed, draws)
    named = goal_named(goal) if isinstance(goal, str) else goal
    task, n_own = read_with_test(data, test, roles, kind, allow_losses, listener)
    check_class_weight(class_weight, task.kind)
    aimed = goal_of(named, task)
    given: dict[str, Any] = {"class_weight": class_weight, "seed": seed, "engine": engine, "device": device}
    model = Transfer(backbone, method, kind=task.kind, cache=cache, options=options, window=window, **given)
    with watch("features"):
        rows = model.look(task, listener=listener)
    require_few_lost(rows.task, allow=allow_losses, stop=n_own, learnt=True)
    require_few_lost(rows.task, allow=allow_losses, of="the test data", start=n_own)
    with watch("check"):
        rows, _ = checked(rows, listener)
        rows = replace(rows, task=as_learnt(without_empty_classes(rows.task)))
    study = study_of(rows, sizes=sizes, draws=draws, goal=aimed, seed=seed)
    with watch("subsamples"):
        listener.say(f"fitting: {method}, {len(study.draws)} draws of {', '.join(map(str, study.sizes))} rows")
        errors = measure(study, _contenders(rows, model, aimed, control, listener), listener)
    with watch("power laws"):
        return _record(study, errors, model, watch)


def study_of(rows: FeatureSet, *, sizes: Sequence[int] | None, draws: int | None, goal: Goal, seed: int) -> Study:
    """The trials and the sizes that suit the rows. DataError where they are too few, ValueError for sizes that cannot
    be."""
    trials = plan_trials(rows, seed, repeats=REPEATS if draws is None else draws)
    pool = min(len(trial.train) for trial in trials.trials)
    classes = len(rows.task.classes)
    settled = sizes_for(pool, classes) if sizes is None else named_sizes(sizes, pool, classes)
    if not settled:
        least = 2 * max(SMALLEST, A_CLASS * classes)
        more = math.ceil(least * len(rows) / pool) - len(rows)
        raise DataError(
            f"too few rows to draw a curve: {pool} of {len(rows)} are there to learn from, and {least} are needed, "
            f"twice the smallest subsample ({SMALLEST} rows, {A_CLASS} of each class): add {more} labelled rows or more"
        )
    return Study(
        rows=rows,
        draws=draws_of(trials, draws or (DRAWS if trials.held_out else REPEATS)),
        sizes=settled,
        held_out=held_out_of(rows, goal, trials),
        metric=goal.metric,
        seed=seed,
    )


def _suits(method: str, options: dict[str, Any], seed: int, draws: int | None) -> None:
    """ValueError where the method cannot stand on features that are computed once, or draws are too few."""
    row = configured(method, options, seed)
    if row.moves_weights or row.needs_source or row.needs_teacher or row.needs_tasks:
        raise ValueError(
            f"method {method!r} does not stand on features alone, which a curve computes once: use probe, ridge, "
            "logistic, or another that moves no weights and draws on no source"
        )
    if draws is not None:
        whole("draws", draws, 2, "5")


def _contenders(
    rows: FeatureSet, model: Transfer, goal: Goal, control: bool, listener: Listener
) -> dict[str, Contender]:
    """The method itself, no-transfer, and the same network from random weights where asked for."""
    plan = model.plan._replace(control=control, goal=goal)
    extraction = model.extraction(rows.engine or None)
    others = dict(contenders_of(rows, model.backbone_, plan, extraction, listener))
    itself = TaskCandidate(rows, model.backbone_, plan, (extraction, listener)).contend
    return {plan.method: itself} | {name: others[name] for name in (NO_TRANSFER, RANDOM) if name in others}


def _record(study: Study, errors: Mapping[str, Errors], model: Transfer, watch: Stopwatch) -> Curve:
    curves = {
        name: extrapolate(of, study.design, model=number, seed=study.seed)
        for number, (name, of) in enumerate(errors.items())
    }
    first, *_ = curves.values()
    return Curve(
        method=model.method,
        backbone=None if model.backbone_ is None else model.backbone_.name,
        metric=study.metric,
        lower_is_better=study.metric in LOWER_IS_BETTER,
        lines={name: _line(of, study) for name, of in curves.items()},
        meeting=meeting_of(first, curves[NO_TRANSFER]),
        protocol=_protocol(study.draws[0]),
        tested=len(study.draws[0].tested),
        labelled=len(study.rows),
        draws=len(study.draws),
        seconds=watch.seconds(),
    )


def _protocol(trials: Trials) -> str:
    """How rows were held out; those of a split are asked by every subsample."""
    folds = len(trials.trials)
    return trials.words.removesuffix(", opened once") if trials.held_out else f"{folds}-fold cross-validation"


def _line(extrapolation: Extrapolation, study: Study) -> Line:
    measured = [
        Point(size, _as_score(error, study.metric))
        for size, error in zip(study.sizes, extrapolation.measured(), strict=True)
    ]
    rows = [factor * study.sizes[-1] for factor in FACTORS if extrapolation.law is not None]
    foretold = [_forecast(extrapolation, n, study) for n in rows]
    return Line(tuple(measured), extrapolation.law, extrapolation.why, extrapolation.begins, tuple(foretold))


def _forecast(extrapolation: Extrapolation, rows: int, study: Study) -> Forecast:
    error, gain = extrapolation.foretold(rows, study.seed)
    return Forecast(rows, _as_score(error, study.metric), gain)


def _as_score(error: Interval, metric: str) -> Interval:
    """The score whose error is that; the ends change places where they must."""
    value, low, high = (float(error_of(metric, np.asarray(part))) for part in error)
    return Interval(value, min(low, high), max(low, high))
