"""Several targets at once: the protocol of `fit`, `predict` and `evaluate` for a model with a head a target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from headstart.data.losses import require_few_lost
from headstart.data.multi_task import MultiTaskData, kinds_named, read_multi_task, with_test
from headstart.data.quality.findings import Finding
from headstart.data.roles import Roles
from headstart.data.unlearnt import to_classes
from headstart.defaults import with_own_defaults
from headstart.errors import DataError
from headstart.evidence.evidence import Evidence, of_answers
from headstart.evidence.facts import ModelFacts
from headstart.evidence.held_out import HeldOut
from headstart.evidence.multi_task import MultiTaskEvidence
from headstart.features.engines.wish import Device
from headstart.features.feature_set import FeatureSet
from headstart.heads.sample_weights import check_class_weight
from headstart.listener import LOGGED, Listener
from headstart.methods.multi_task import SHARED, configured_for_tasks
from headstart.methods.plan import Plan
from headstart.multitask.parts import part_of
from headstart.study.check import checked, report_of
from headstart.study.multi_task import MultiTask
from headstart.study.multi_task_answers import MultiTaskAnswers, answers_to_all
from headstart.study.multi_task_comparison import MultiTaskComparison
from headstart.study.origin import origin_of, without_origin
from headstart.study.stopwatch import Stopwatch
from headstart.transfer import EngineChoice, Transfer

__all__ = ["evaluate_tasks", "fit_tasks", "predict_tasks"]

NO_ROLES = Roles()
AUTO = "auto"


@with_own_defaults
def fit_tasks(
    data: Any,
    targets: Sequence[str],
    *,
    test: Any = None,
    backbone: str | None = None,
    method: str | None = None,
    roles: Roles = NO_ROLES,
    kind: str | None = None,
    class_weight: str | None = None,
    seed: int = 0,
    engine: EngineChoice = "auto",
    device: Device = "auto",
    cache: bool = True,
    options: dict[str, Any] | None = None,
    keep_tuned: bool = False,
    allow_losses: bool = False,
    window: tuple[float, float] | None = None,
    provenance: bool = True,
    listener: Listener = LOGGED,
) -> MultiTask:
    """Fit several targets at once, and learn from rows held out what each is worth and whether sharing helped.

    data     a table (a file, or in memory) with a column for each target; an answer may be missing here and there
    targets  the names of these columns, classification and regression mixed
    test     test data of your own in the same form; it is looked at once, at the end
    method   a row of `headstart.methods.METHODS`; auto or None: joint, and a target that it is shown to make worse is
             learnt alone
    kind     of all targets, or one each with commas between them, where the columns do not tell

    Other options as of `headstart.fit`. Returns a fitted `MultiTask` whose `evidence_` holds the answer. Raises
    DataError where the data cannot be used.
    """
    watch = Stopwatch()
    auto = method in (None, AUTO)
    name = SHARED if auto or method is None else method
    plan = Plan(name, class_weight, seed, options or {}, keep_tuned)
    configured_for_tasks(plan)
    tasks = read_multi_task(data, targets, roles=roles, kinds=kinds_named(kind, targets))
    require_few_lost(tasks.task, allow=allow_losses, learnt=True)
    _check_class_weight(class_weight, tasks)
    columns = {target: answer.columns for target, answer in zip(tasks.names, tasks.answers, strict=True)}
    if test is not None:
        test_roles = replace(roles, modality=tasks.task.modality)
        kinds = [answer.kind for answer in tasks.answers]
        tested = read_multi_task(test, targets, roles=test_roles, kinds=kinds, columns=columns)
        require_few_lost(tested.task, allow=allow_losses, of="the test data")
        tasks = with_test(tasks, tested)
    _say(tasks, listener)
    looking = Transfer(backbone, seed=seed, engine=engine, device=device, cache=cache, window=window)
    with watch("features"):
        feature_set = looking.look(tasks.whole(), listener=listener)
    require_few_lost(feature_set.task, allow=allow_losses, learnt=True)
    with watch("check"):
        feature_set, findings = _checked(feature_set, listener)
    how = (looking.extraction(feature_set.engine), listener)
    comparison = MultiTaskComparison(feature_set, looking.backbone_, plan, how, watch, columns, auto)
    models, evidence = comparison.run()
    evidence = findings.told(evidence)
    fitted = MultiTask(
        backbone,
        AUTO if auto else name,
        kind=kind,
        class_weight=class_weight,
        seed=seed,
        engine=engine,
        device=device,
        cache=cache,
        options=options,
        window=window,
    )
    fitted.hold(models, replace(evidence, origin=origin_of(data, test=test, roles=roles, kind=kind)))
    return fitted if provenance else without_origin(fitted, (data, test))


@with_own_defaults
def evaluate_tasks(
    model: MultiTask,
    data: Any,
    *,
    roles: Roles = NO_ROLES,
    seed: int = 0,
    allow_losses: bool = False,
    listener: Listener = LOGGED,
) -> MultiTaskEvidence:
    """Score a fitted model of several targets on new labelled data: those of its targets that are columns there.

    data    in the same form as what the model was fitted on
    seed    of the resamples from which the intervals come

    Raises DataError where the data cannot be used, or have none of the targets.
    """
    watch, models = Stopwatch(), model.models_
    roles = replace(roles, modality=model.modality_)
    targets = model.present(data)
    columns = {name: models[name].columns for name in targets}
    tasks = read_multi_task(data, targets, roles=roles, kinds=[models[name].kind for name in targets], columns=columns)
    _say(tasks, listener)
    require_few_lost(tasks.task, allow=allow_losses)
    with watch("features"):
        feature_set = model.look(tasks.whole(), listener=listener)
    require_few_lost(feature_set.task, allow=allow_losses)
    evidence = {}
    for part in feature_set.task.kind.parts:
        task_rows = part_of(feature_set, part)
        task_rows = replace(task_rows, task=to_classes(task_rows.task, models[part.name].classes))
        with watch("head"):
            predictions = model.answers(part.name, task_rows)
        evidence[part.name] = _evidence(model, part.name, task_rows, predictions, seed)
    return MultiTaskEvidence(method=model.method, tasks=evidence, notes=tasks.task.notes, seconds=watch.seconds())


@with_own_defaults
def predict_tasks(model: MultiTask, data: Any, *, listener: Listener = LOGGED) -> MultiTaskAnswers:
    """Predict all targets of new inputs: one row out for each row in, with a column a target.

    data    in the same form as what the model was fitted on, without targets

    Raises DataError where the data cannot be read, or lack a column that the model needs.
    """
    return answers_to_all(model.models_, data, model.extraction(), listener=listener)


def _evidence(model: MultiTask, name: str, task_rows: FeatureSet, predictions: Any, seed: int) -> Evidence:
    target_model, trained = model.models_[name], model.learnt_from(name)
    evidence = of_answers(HeldOut.of(task_rows.task)._replace(group=task_rows.blocks), predictions, {}, seed=seed)
    backbone = None if target_model.backbone is None else target_model.backbone.name
    facts = ModelFacts(backbone=backbone, n_set_aside=len(task_rows.task.set_aside))
    return replace(evidence, n_train=trained, protocol="new data", facts=replace(evidence.facts, model=facts))


class _Findings(NamedTuple):
    """What the check found in the inputs, and in the answers of each target, by its name."""

    inputs: tuple[Finding, ...]
    answers: dict[str, tuple[Finding, ...]]

    def told(self, evidence: MultiTaskEvidence) -> MultiTaskEvidence:
        """The evidence with them."""
        tasks = {
            name: replace(task, findings=tuple(finding.to_json() for finding in self.answers[name]))
            for name, task in evidence.tasks.items()
        }
        return replace(evidence, tasks=tasks, findings=tuple(finding.to_json() for finding in self.inputs))


def _checked(feature_set: FeatureSet, listener: Listener) -> tuple[FeatureSet, _Findings]:
    """The rows that the check of the inputs leaves, and what it found; what is of one target is said with its name."""
    bare = replace(feature_set, task=replace(feature_set.task, targets=None))
    _, report = checked(bare, listener, taught=True)
    of_all = {str(finding) for finding in report.findings}
    findings = _Findings(report.findings, {})
    feature_set = replace(feature_set, blocks=report.blocks).take(report.keep)
    for part in feature_set.task.kind.parts:
        part_report = report_of(part_of(feature_set, part))
        own = tuple(finding for finding in part_report.findings if str(finding) not in of_all)
        findings.answers[part.name] = own
        for finding in own:
            listener.say(f"{part.name}: {finding}")
        if part_report.errors:
            raise DataError(f"target {part.name!r}: {part_report.errors[0]}")
    return feature_set, findings


def _say(tasks: MultiTaskData, listener: Listener) -> None:
    listener.say(f"read {len(tasks):,} {tasks.task.modality.noun} with {len(tasks.names)} targets")
    for name, answer in zip(tasks.names, tasks.answers, strict=True):
        of = f" of {len(answer.classes)} classes" if answer.classes else ""
        listener.say(f"  {name}: {answer.kind}{of}")
    for note in tasks.task.notes:
        listener.say(f"  {note}")


def _check_class_weight(class_weight: str | None, tasks: MultiTaskData) -> None:
    """It holds for the targets that have classes; ValueError where none has."""
    kinds = [answer.kind for answer in tasks.answers]
    check_class_weight(class_weight, next((kind for kind in kinds if kind.has_classes), kinds[0]))
