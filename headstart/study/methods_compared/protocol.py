"""Methods of every kind on the same held-out rows (`headstart.compare`): read and check as `fit` does, try, judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from headstart.data.goals import goal_named, goal_of
from headstart.data.losses import require_few_lost
from headstart.data.quality.check import without_empty_classes
from headstart.data.roles import Roles
from headstart.data.unlearnt import as_learnt
from headstart.defaults import with_own_defaults
from headstart.errors import DataError
from headstart.features.engines.wish import Device
from headstart.heads.sample_weights import check_class_weight
from headstart.listener import LOGGED, Listener
from headstart.methods.finetune import FineTune
from headstart.methods.table import configured
from headstart.study.check import checked
from headstart.study.comparison import held_out_of
from headstart.study.methods_compared.forecast import foretold
from headstart.study.methods_compared.judged import Judge, judged
from headstart.study.methods_compared.measuring import LeftOut, Material, ways_of
from headstart.study.methods_compared.record import Failed, Interrupted, MethodsCompared, Row
from headstart.study.methods_compared.trying import Finished, Tried, try_all
from headstart.study.methods_compared.ways import PROBE, Way, Wish, of_training, wish_of
from headstart.study.protocol import read_with_test
from headstart.study.resampling import plan_trials
from headstart.study.shift import TargetLabels, may_use, read_pair
from headstart.study.stopwatch import Stopwatch
from headstart.study.with_source import beside_source, with_test
from headstart.tasks.goal import Goal
from headstart.transfer import EngineChoice, Transfer

__all__ = ["compare"]

NO_ROLES = Roles()
_FEWEST = 2


@with_own_defaults
def compare(
    data: Any,
    *,
    methods: Sequence[str] | None = None,
    test: Any = None,
    source: Any = None,
    target_labels: TargetLabels = "all",
    backbone: str | None = None,
    roles: Roles = NO_ROLES,
    kind: str | None = None,
    goal: str | Goal | None = None,
    class_weight: str | None = None,
    seed: int = 0,
    engine: EngineChoice = "auto",
    device: Device = "auto",
    cache: bool = True,
    options: dict[str, Any] | None = None,
    allow_losses: bool = False,
    window: tuple[float, float] | None = None,
    listener: Listener = LOGGED,
) -> MethodsCompared:
    """Did transfer help, and how far down should weights move? Methods beside each other on the same held-out rows.

    methods   None: no transfer, from scratch, direct application, feature extraction, partial, gradual and full
              fine-tuning, LP-FT, L2-SP, and with a source what draws on it. Others by name, to which the probe and
              no-transfer are added, over which gains are given
    options   of `training.options.Training`, the same for all that move weights, such as {"epochs": 3}

    The other options are those of `fit`. No model is kept. What was answered by an earlier run is not fitted again.

    Raises DataError where the data cannot be used, ValueError for a method or an option that cannot be, what the last
    way raised where all failed, and `Interrupted`, a KeyboardInterrupt that holds what was finished.
    """
    watch = Stopwatch()
    wish = wish_of(methods, options or {}, seed, source is not None)
    common = {"class_weight": class_weight, "seed": seed, "engine": engine, "device": device, "cache": cache}
    reading = _Reading(data, test, source, target_labels, roles, kind, goal_named(goal), allow_losses, listener)
    material = reading.material(backbone, window, common, watch)
    ways, left_out = ways_of(material, wish)
    _say_before(ways, left_out, material, listener)
    with watch("fits"):
        tried = try_all(ways, material.trials, listener, lambda new: _say_how_long(new, material, wish, listener))
    if not tried.finished:
        raise tried.failed[-1][1] if tried.failed and tried.waiting is None else KeyboardInterrupt
    with watch("evidence"):
        compared = _record(material, tried, ways, wish, left_out)
    compared = replace(compared, seconds=watch.seconds())
    if tried.waiting is not None:
        raise Interrupted(compared)
    return compared


class _Reading:
    """What is to be read, and how."""

    def __init__(
        self,
        data: Any,
        test: Any,
        source: Any,
        target_labels: TargetLabels,
        roles: Roles,
        kind: str | None,
        goal: Goal | None,
        allow_losses: bool,
        listener: Listener,
    ) -> None:
        self.data, self.test, self.source, self.target_labels = data, test, source, target_labels
        self.roles, self.kind, self.goal = roles, kind, goal
        self.allow, self.listener = allow_losses, listener
        if source is not None and roles.weight is not None:
            raise ValueError("weights of rows have no use with a source, whose methods weigh rows themselves")

    def material(
        self, backbone: str | None, window: tuple[float, float] | None, common: dict[str, Any], watch: Stopwatch
    ) -> Material:
        """The rows as the backbone sees them, and how they are tested."""
        if self.source is not None:
            return self._beside_source(backbone, window, common, watch)
        task, n_own = read_with_test(self.data, self.test, self.roles, self.kind, self.allow, self.listener)
        check_class_weight(common["class_weight"], task.kind)
        aimed = goal_of(self.goal, task)
        model = Transfer(backbone, kind=task.kind, window=window, **common)
        with watch("features"):
            rows = model.look(task, listener=self.listener)
        require_few_lost(rows.task, allow=self.allow, stop=n_own, learnt=True)
        require_few_lost(rows.task, allow=self.allow, of="the test data", start=n_own)
        with watch("check"):
            rows, _ = checked(rows, self.listener)
            rows = replace(rows, task=as_learnt(without_empty_classes(rows.task)))
        plan, how = (
            model.plan._replace(goal=aimed, control=False),
            (model.extraction(rows.engine or None), self.listener),
        )
        trials = plan_trials(rows, plan.seed, repeats=1)
        return Material(rows, model.backbone_, plan, how, trials)

    def _beside_source(
        self, backbone: str | None, window: tuple[float, float] | None, common: dict[str, Any], watch: Stopwatch
    ) -> Material:
        labels = may_use(self.target_labels, drawn=True)
        both = read_pair(
            self.source,
            self.data,
            roles=self.roles,
            kind=self.kind,
            target_labels=self.target_labels,
            tested=True,
            allow_losses=self.allow,
            listener=self.listener,
        )
        task, n_own = with_test(both, self.test, self.roles, allow_losses=self.allow), both.target.n_read
        answered = task.targets is not None and bool(task.kind.known(np.asarray(task.targets)).any())
        if not answered:
            raise DataError(f"no row of {self.data!r} has a label, so that nothing can be tested on it: label some")
        check_class_weight(common["class_weight"], task.kind)
        aimed = goal_of(self.goal, task)
        model = Transfer(backbone, "auto", kind=task.kind, window=window, **common)
        with watch("features"):
            rows = model.look(task, listener=self.listener, beside=(both.source,))
        require_few_lost(rows.task, allow=self.allow, stop=n_own, learnt=True)
        require_few_lost(rows.task, allow=self.allow, of="the test data", start=n_own)
        plan = model.plan._replace(goal=aimed, control=False)
        tasks, fitter, _ = beside_source(both, rows, model, plan, watch, labels, self.allow, self.listener)
        labelled = tasks.target.take(np.arange(tasks.labelled))
        if labelled.task.split is None and len(np.unique(labelled.blocks)) < _FEWEST:
            raise DataError(f"only {len(labelled)} row of the target has a label: label some more to test on")
        trials = plan_trials(labelled, plan.seed, repeats=1, taught=True)
        return Material(labelled, model.backbone_, plan, fitter.how, trials, (tasks, fitter))


def _say_before(ways: Sequence[Way], left_out: Sequence[LeftOut], material: Material, listener: Listener) -> None:
    listener.say(f"comparing: {', '.join(way.name for way in ways)}, tested by {material.trials.words}")
    for each in left_out:
        listener.say(f"left out: {', '.join(each.names)}, since {each.why}")


def _say_how_long(new: Sequence[Way], material: Material, wish: Wish, listener: Listener) -> None:
    """What is to be trained, and about how long that takes."""
    names = [way.name for way in new]
    fits = len(material.trials.trials)
    long = foretold(names, material, wish) if material.backbone is not None else ""
    often = f", {fits} times each" if fits > 1 else ""
    listener.say(
        f"weights move next: {', '.join(names)}{often}" + (f": {long}; validation ends most sooner" if long else "")
    )


def _record(
    material: Material, tried: Tried, ways: Sequence[Way], wish: Wish, left_out: Sequence[LeftOut]
) -> MethodsCompared:
    trials, rows, plan = material.trials, material.rows, material.plan
    order = [way.name for way in ways]
    finished = sorted(tried.finished, key=lambda each: order.index(each.way.name))
    held_out = held_out_of(rows, plan.goal, trials)
    judge = Judge(held_out, finished, plan.seed)
    return MethodsCompared(
        goal=plan.goal or Goal(held_out.headline),
        metric=judge.metric,
        backbone=None if material.backbone is None else material.backbone.name,
        protocol=trials.words,
        n_train=round(float(np.mean([len(trial.train) for trial in trials.trials]))),
        n_test=len(trials.tested),
        trials=len(trials.trials),
        seed=plan.seed,
        rule=_rule([each.way.name for each in finished], wish, plan.seed),
        rows=tuple(_row(judge, each) for each in finished),
        judged=judged(judge, finished),
        failed=tuple(Failed(way.name, str(error) or type(error).__name__) for way, error in tried.failed),
        left_out=tuple(left_out),
        unfinished=None if tried.waiting is None else tuple(way.name for way in tried.waiting),
        seconds={},
    )


def _row(judge: Judge, finished: Finished) -> Row:
    way = finished.way
    return Row(
        name=way.name,
        about=way.about,
        moves=way.moves,
        scores=judge.scores(way.name),
        over_probe=judge.gain(way.name, PROBE),
        over_no_transfer=judge.gain(way.name, "no-transfer"),
        cost=finished.cost,
        cached=finished.kept,
    )


def _rule(names: Sequence[str], wish: Wish, seed: int) -> str:
    """How long those learn that move weights; "" where none does."""
    epochs: dict[int, list[str]] = {}
    validation, refit = 0.0, 0
    for name in of_training(names):
        row = configured(name, wish.options_of(name), seed)
        if not isinstance(row, FineTune):
            continue
        training = row.tuning.training
        validation, refit = training.validation, training.refit
        epochs.setdefault(training.epochs, []).append(name)
    if not epochs:
        return ""
    at_most = " and ".join(
        f"{count} ({', '.join(those)})" if len(epochs) > 1 else str(count) for count, those in epochs.items()
    )
    if not validation:
        return f"one rule for all that move weights: {at_most} epochs a stage"
    again = f", then again on all rows where these are at most {refit:,}" if refit else ""
    return (
        f"one rule for all that move weights, as in fit: at most {at_most} epochs a stage, {100 * validation:.0f} % of "
        f"the rows say when it ends{again}; steps are those of the first training"
    )
