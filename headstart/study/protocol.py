"""The honest protocol: read, check, split, fit, open the test split once, and say whether transfer helped."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from headstart.data.goals import UNEVEN, goal_named, goal_of
from headstart.data.join import join
from headstart.data.losses import require_few_lost
from headstart.data.pair import Pair
from headstart.data.quality.check import Report, without_empty_classes
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.data.unlearnt import as_learnt, to_classes
from headstart.defaults import with_own_defaults
from headstart.evidence.evidence import Evidence, of_answers
from headstart.evidence.facts import ModelFacts
from headstart.evidence.held_out import HeldOut
from headstart.features.engines.wish import Device
from headstart.features.held_pixels import HeldPixels
from headstart.heads.sample_weights import check_class_weight
from headstart.listener import LOGGED, Listener
from headstart.meta_learning.rule import modality_of, rule_of
from headstart.methods.plan import Plan
from headstart.methods.table import METHODS, configured, row_of
from headstart.study.answering import answers_to, notes_of_inputs, say_read
from headstart.study.backbone_choice import Chooser, Chosen, View, candidates_for, comparison_for
from headstart.study.check import check_data, checked
from headstart.study.comparison import Comparison
from headstart.study.in_blocks import beyond_memory, in_blocks
from headstart.study.predictions import Answers
from headstart.study.pretrained import began_from, with_worth
from headstart.study.shift import TargetLabels, may_use, read_pair
from headstart.study.source_comparison import Untested
from headstart.study.stopwatch import Stopwatch
from headstart.study.with_source import comparison_with_source, with_test
from headstart.tasks.goal import Goal
from headstart.tasks.kind import Kind
from headstart.tasks.task import Task
from headstart.transfer import EngineChoice, Transfer

__all__ = ["check", "evaluate", "fit", "predict", "read_with_test"]

NO_ROLES = Roles()


@with_own_defaults
def fit(
    data: Any,
    *,
    test: Any = None,
    source: Any = None,
    target_labels: TargetLabels = "all",
    backbone: str | None = None,
    method: str | None = None,
    roles: Roles = NO_ROLES,
    kind: str | None = None,
    class_weight: str | None = None,
    goal: str | Goal | None = None,
    seed: int = 0,
    engine: EngineChoice = "auto",
    device: Device = "auto",
    cache: bool = True,
    options: dict[str, Any] | None = None,
    keep_tuned: bool = False,
    keep_transfer: bool = False,
    control: bool = True,
    allow_losses: bool = False,
    window: tuple[float, float] | None = None,
    chooser: Chooser | None = None,
    blocks: bool = False,
    listener: Listener = LOGGED,
) -> Transfer:
    """Fit on data and learn from rows held out how good the model is and whether transfer helped.

    data    a folder with one sub-folder a class, a .csv, .tsv, .jsonl or .parquet, or a table in memory
    test    test data of your own in the same form; it is looked at once, at the end
    source  labelled data of a related task, in the same form, from which knowledge is to come
    target_labels   with a source: "all", or "none": answers of `data` are only looked at for the test
    method  a row of `headstart.methods.METHODS`; None: probe, or auto with a source, or the inner rule that a
            meta-trained backbone names (`few_shot`)
    roles   which column is what, where the names do not tell
    kind    "classification", "regression" or "multilabel", where the targets do not tell
    goal    what the model is to be good at, see `Transfer`: heads are chosen and answers decided for it, and models are
            compared by it
    keep_tuned   keep what a method that moves weights made, even where it is not shown to be better than the probe, or
                 with a source than the best that does not adapt
    keep_transfer   keep what was asked for even where the model without transfer is shown to be better, as does
                 keep_tuned
    control      test the same network from random weights too; without it the evidence says that it was left out
    allow_losses go on where more than a twentieth of the rows of data, test or source cannot be used as they are
    blocks       fit the head while features pass by, as is done where they exceed a quarter of memory (`in_blocks`)
    chooser      who chooses among backbones where none is named and no weights move; None: the default is taken

    The other options are those of `Transfer`. Returns a fitted `Transfer` whose `evidence_` holds the answer. Raises
    DataError where the data cannot be used, BackboneError where the backbone cannot.
    """
    watch = Stopwatch()
    method = method or _default_method(backbone, source, listener)
    _suits(method, options or {}, seed, source, keep_tuned)
    named = goal_named(goal)
    if source is not None and roles.weight is not None:
        raise ValueError(
            f"the weight column {roles.weight!r} has no use with a source, whose methods weigh rows themselves: leave "
            "--weight out, or --source"
        )
    if (takes := modality_of(backbone)) is not None and takes.has_columns and roles.modality is None:
        roles = replace(roles, modality=takes)  # a table, whose columns a network takes as numbers
    labels = may_use(target_labels, drawn=source is not None)
    task, both, n_own = _read_beside(data, test, source, roles, kind, target_labels, allow_losses, listener)
    check_class_weight(class_weight, task.kind)
    aimed = goal_of(named, task if both is None or (labels and _answered(task)) else both.source)
    say_goal(aimed, task.kind, named, listener)
    candidates = candidates_for(chooser, task, row_of(Plan(method)), backbone, both is not None)
    fitted = Transfer(
        backbone if candidates is None else candidates[0],
        method,
        kind=task.kind,
        class_weight=class_weight,
        seed=seed,
        engine=engine,
        device=device,
        cache=cache,
        options=options,
        window=window,
        goal=named,
    )
    if both is None and (blocks or beyond_memory(fitted, task)):
        return fitted.conclude(*in_blocks(fitted, task, aimed, watch, listener, allow=allow_losses), None)
    pixels = HeldPixels() if control and not row_of(fitted.plan).moves_weights else None
    with watch("features"):
        beside = () if both is None else (both.source,)
        feature_set = fitted.look(task, listener=listener, beside=beside, pixels=pixels)
    require_few_lost(feature_set.task, allow=allow_losses, stop=n_own, learnt=True)
    require_few_lost(feature_set.task, allow=allow_losses, of="the test data", start=n_own)
    plan = fitted.plan._replace(keep_tuned=keep_tuned, keep_transfer=keep_transfer, control=control, goal=aimed)
    comparison: Comparison | Untested
    report: Report | None
    chosen = Chosen()
    began = began_from(backbone, getattr(fitted.backbone_ and fitted.backbone_.preprocess, "window", None))
    before = None if began is None else began.backbone
    if both is None:
        if pixels is not None:
            pixels.close()
        with watch("check"):
            feature_set, report = checked(feature_set, listener)
            feature_set = replace(feature_set, task=as_learnt(without_empty_classes(feature_set.task)))
        how = (replace(fitted.extraction(feature_set.engine), pixels=pixels), listener)
        seen = View(fitted.backbone or "", fitted.backbone_, feature_set, how)
        comparison, chosen = comparison_for(chooser, candidates, seen, plan, fitted.extraction(), watch, before)
    else:
        comparison, report = comparison_with_source(
            both, feature_set, fitted, plan, watch, labels, allow_losses, listener, before, pixels
        )
    model, evidence = comparison.concluded(*comparison.tried())
    fitted.backbone = chosen.name or fitted.backbone
    return fitted.conclude(model, with_worth(chosen.told(evidence), began), report)


def check(
    data: Any, *, roles: Roles = NO_ROLES, kind: str | None = None, cache: bool = True, listener: Listener = LOGGED
) -> Report:
    """What is wrong with the data: unreadable files, duplicates, leaks, rare classes and more, without a backbone.

    The options are those of `headstart.fit`. Raises DataError where nothing can be read.
    """
    return check_data(data, roles=roles, kind=kind, cache=cache, listener=listener)


@with_own_defaults
def evaluate(
    model: Transfer,
    data: Any,
    *,
    roles: Roles = NO_ROLES,
    seed: int = 0,
    allow_losses: bool = False,
    listener: Listener = LOGGED,
) -> Evidence:
    """Score a fitted model on new labelled data. Rows of classes that it did not learn count as wrong.

    data    in the same form as what the model was fitted on, with labels
    seed    of the resamples from which the intervals come

    Raises DataError where the data cannot be used, or lack a column that the model needs.
    """
    watch, fitted_model = Stopwatch(), model.model_
    roles = replace(roles, modality=fitted_model.modality)
    task = to_classes(
        read(data, roles=roles, kind=fitted_model.kind, columns=fitted_model.columns), fitted_model.classes
    )
    say_read(task, listener)
    require_few_lost(task, allow=allow_losses)
    with watch("features"):
        feature_set = model.look(task, listener=listener)
    require_few_lost(feature_set.task, allow=allow_losses)
    with watch("head"):
        predictions = model.answers(feature_set)
    goal = Goal.from_json(fitted_model.options.get("goal"))
    held_out = HeldOut.of(feature_set.task)._replace(group=feature_set.blocks, goal=goal)
    evidence = of_answers(held_out, predictions, {}, seed=seed)
    fitted = ModelFacts(backbone=model.backbone, n_set_aside=len(feature_set.task.set_aside))
    trained = (fitted_model.evidence or {}).get("n_train", 0)
    notes = (*evidence.notes, *notes_of_inputs(fitted_model, feature_set.task, feature_set))
    facts = replace(evidence.facts, model=fitted)
    return replace(evidence, n_train=trained, protocol="new data", facts=facts, notes=notes, seconds=watch.seconds())


@with_own_defaults
def predict(
    model: Transfer,
    data: Any,
    *,
    windows: float | str | None = None,
    coverage: float | None = None,
    listener: Listener = LOGGED,
) -> Answers:
    """Predict for new inputs: a folder, files, a table or objects. One row out for each row in, in the same order;
    what cannot be read has no answer, and a reason.

    data      in the same form as what the model was fitted on, without labels
    windows   of recordings: an answer for each window of so many seconds, with its times; "auto": as long as the
              backbone takes
    coverage  give sets of classes, or intervals, that hold the true answer with this probability

    Returns `Answers`, one a row. Raises DataError where the data cannot be read, or lack a column that the model needs.
    """
    extraction = model.extraction(model.model_.engine)
    return answers_to(model.model_, data, extraction, windows=windows, coverage=coverage, listener=listener)


def read_with_test(
    data: Any, test: Any, roles: Roles, kind: str | None, allow_losses: bool, listener: Listener
) -> tuple[Task, int]:
    """The task with the rows to test on behind, and how many rows were read before these."""
    task = read(data, roles=roles, kind=kind)
    n_own = task.n_read
    require_few_lost(task, allow=allow_losses, learnt=True)
    if test is not None:
        tested = read(test, roles=replace(roles, modality=task.modality), kind=task.kind, columns=task.columns)
        require_few_lost(tested, allow=allow_losses, of="the test data")
        task = join(task, tested)
    say_read(task, listener)
    return task, n_own


def _read_beside(
    data: Any,
    test: Any,
    source: Any,
    roles: Roles,
    kind: str | None,
    labels: TargetLabels,
    allow_losses: bool,
    listener: Listener,
) -> tuple[Task, Pair | None, int]:
    """The task with the rows to test on behind, where there is a source both tasks on common ground, and how many rows
    were read before those to test on."""
    if source is None:
        task, n_own = read_with_test(data, test, roles, kind, allow_losses, listener)
        return task, None, n_own
    both = read_pair(
        source,
        data,
        roles=roles,
        kind=kind,
        target_labels=labels,
        tested=True,
        allow_losses=allow_losses,
        listener=listener,
    )
    return with_test(both, test, roles, allow_losses=allow_losses), both, both.target.n_read


def _default_method(backbone: str | None, source: Any, listener: Listener) -> str:
    """Where none is named: auto with a source, else what the backbone was meta-trained for, else the probe."""
    if source is not None:
        return "auto"
    rule = rule_of(backbone)
    if rule is None:
        return "probe"
    method, learner = rule
    listener.say(f"method: {method}, the inner rule of the backbone, which {learner} made; --method names another")
    return method


def _answered(task: Task) -> bool:
    return task.targets is not None and bool(task.kind.known(np.asarray(task.targets)).any())


def say_goal(goal: Goal, kind: Kind, named: Goal | None, listener: Listener) -> None:
    """What models are compared by, where it is not the same for every task of the kind."""
    if named is None and kind.exclusive:
        uneven = goal.metric == "balanced_accuracy"
        why = f"the largest class has {'over' if uneven else 'at most'} {UNEVEN:.0f} times the rows of the smallest"
        listener.say(f"goal: {goal.words}, since {why} (--for names another)")
    elif named is not None:
        listener.say(f"goal: {goal.words}")


def _suits(method: str, options: dict[str, Any], seed: int, source: Any, keep_tuned: bool) -> None:
    """ValueError where the method needs a source and has none, or has no use for one, or where keep_tuned has none."""
    row = configured(method, options, seed)
    if row.needs_teacher:
        raise ValueError(f"method {method!r} learns from a teacher: headstart distil MODEL DATA --method {method}")
    if row.needs_source and source is None:
        raise ValueError(f"method {method!r} draws on a source task: give one as source (--source DATA)")
    if not row.needs_source and source is not None:
        names = ", ".join(name for name, row in METHODS.items() if row.needs_source)
        raise ValueError(f"method {method!r} draws on no source task: with a source expected one of {names}")
    if row.needs_tasks:
        raise ValueError(
            f"method {method!r} weighs the losses of several targets: name several (--target a,b), or use 'lp-ft'"
        )
    if keep_tuned and row.needs_source and not row.moves_weights:
        raise ValueError(f"keep_tuned is for methods that move weights, and {method!r} moves none: leave it out")
