"""Distillation by the honest protocol: a student learns from a teacher, is tested on rows that it has not seen, and
beside it the same student without a teacher and the teacher itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from headstart.data.goals import goal_named, goal_of
from headstart.data.losses import require_few_lost
from headstart.data.quality.check import without_empty_classes
from headstart.data.roles import Roles
from headstart.data.unlearnt import as_learnt
from headstart.defaults import with_own_defaults
from headstart.features.engines.wish import Device
from headstart.features.feature_set import FeatureSet, look
from headstart.heads.sample_weights import check_class_weight
from headstart.listener import LOGGED, Listener
from headstart.methods.born_again import SELF, knowledge_of, teaching_for
from headstart.methods.method import Data, require_backbone
from headstart.methods.plan import Plan
from headstart.methods.table import row_of
from headstart.methods.teacher import Teacher
from headstart.methods.teaching import Teaching
from headstart.study.candidates import TaskCandidate
from headstart.study.check import checked, report_of
from headstart.study.comparison import Comparison
from headstart.study.contenders import contenders_of
from headstart.study.origin import origin_of, with_origin, without_origin
from headstart.study.protocol import say_goal
from headstart.study.resampling import plan_trials
from headstart.study.stopwatch import Stopwatch
from headstart.study.student import Student
from headstart.study.student_data import StudentData, read_student
from headstart.tasks.goal import Goal
from headstart.transfer import EngineChoice, Transfer

__all__ = ["distil"]

NO_ROLES = Roles()


@with_own_defaults
def distil(
    teacher: Any,
    data: Any,
    *,
    unlabelled: Any = None,
    test: Any = None,
    backbone: str | None = None,
    method: str = "distil",
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
    provenance: bool = True,
    listener: Listener = LOGGED,
) -> Transfer:
    """Fit a student that learns from a teacher, and learn from rows held out what it kept of it and whether that
    helped.

    teacher     a fitted `Transfer`, the folder of a saved model, a list of these or of pairs (teacher, weight); or
                "self": the student's own fit without a teacher, on the same rows (born again)
    data        as in `headstart.fit`; rows may lack a label, or all of them
    unlabelled  more inputs without labels, to learn the teacher's answers to
    backbone    of the student
    method      a row that learns from a teacher, or a pair such as "lora+distil"

    The other options are those of `headstart.fit`. Returns a fitted `Transfer`, whose `evidence_.distillation` holds
    the table of accuracy against cost. Raises DataError where teacher and data do not go together, ValueError for a
    method that learns from no teacher.
    """
    watch, named = Stopwatch(), goal_named(goal)
    plan = Plan(method, class_weight, seed, options or {})
    knowledge, is_self = knowledge_of(plan), isinstance(teacher, str) and teacher == SELF
    external = None if is_self else Teacher.of(teacher)
    if external is not None:
        external.require(knowledge, method)
    student_data = read_student(
        data, unlabelled, test, external, roles=roles, kind=kind, allow_losses=allow_losses, listener=listener
    )
    if student_data.rows.modality.has_columns:
        require_backbone(row_of(plan), method, None, student_data.rows.modality)
    check_class_weight(class_weight, student_data.rows.kind)
    fitted = Transfer(
        backbone,
        method,
        kind=student_data.rows.kind,
        class_weight=class_weight,
        seed=seed,
        engine=engine,
        device=device,
        cache=cache,
        options=options,
        window=window,
        goal=named,
    )
    with watch("features"):
        rows, bare = _seen(fitted, student_data, listener)
    require_few_lost(rows.task, allow=allow_losses, learnt=True)
    data_of = Data(rows, fitted.backbone_, (fitted.extraction(rows.engine or None), listener))
    teaching = None
    if external is not None:
        with watch("teacher"):
            teaching = teaching_for(external, plan, data_of, bare)
            rows = rows if student_data.labelled else replace(teaching, labelled=False).answered(rows)
    with watch("check"):
        rows, report = checked(rows, listener)
        rows = replace(rows, task=as_learnt(without_empty_classes(rows.task)))
        bare = _without(bare, rows)
    if teaching is not None:
        teaching = replace(teaching, classes=rows.task.classes, bare=bare, labelled=student_data.labelled)
    aimed = goal_of(named, rows.task)
    say_goal(aimed, rows.task.kind, named, listener)
    data_of, plan = data_of._replace(rows=rows), plan._replace(goal=aimed)
    comparison = _comparison(data_of, plan, teaching, bare, test is not None, watch)
    model, evidence = comparison.run()
    fitted = with_origin(fitted.conclude(model, evidence, report), origin_of(data, test=test, roles=roles, kind=kind))
    return fitted if provenance else without_origin(fitted, (data, test, unlabelled))


def _seen(fitted: Transfer, student_data: StudentData, listener: Listener) -> tuple[FeatureSet, FeatureSet | None]:
    """Both kinds of rows through the student's backbone."""
    beside = () if student_data.bare is None else (student_data.bare,)
    rows = fitted.look(student_data.rows, listener=listener, beside=beside)
    if student_data.bare is None:
        return rows, None
    extraction = fitted.extraction(rows.engine or None)
    return rows, look(student_data.bare, fitted.backbone_, extraction, listener, "without a label")


def _without(bare: FeatureSet | None, rows: FeatureSet) -> FeatureSet | None:
    """Rows without a label that are not there with one, each once; None where none is left."""
    if bare is None:
        return None
    labelled_keys, keep = set(rows.keys), set(report_of(bare, taught=True).keep.tolist())
    left = np.array([row for row, key in enumerate(bare.keys) if row in keep and key not in labelled_keys], np.int64)
    return bare.take(left) if len(left) else None


def _comparison(
    data: Data, plan: Plan, teaching: Teaching | None, bare: FeatureSet | None, given_test: bool, watch: Stopwatch
) -> Comparison:
    """The student, to be tested beside those that do not transfer, the probe, the student alone and the teacher."""
    labelled = teaching is None or teaching.labelled
    trials = plan_trials(data.rows, plan.seed, repeats=1)
    data.how[1].say(f"fitting: {plan.method}, tested by {trials.words}")
    student = Student(data, plan, teaching=teaching, bare=bare, tested=labelled or given_test)
    contenders = {}
    if labelled:
        with watch("baselines"):
            contenders = dict(contenders_of(data.rows, data.backbone, plan, *data.how))
        probe = student.beside["probe"] = TaskCandidate(data.rows, data.backbone, plan.probe, data.how)
        contenders["probe"] = probe.contend
    contenders |= dict(student.contenders())
    return Comparison(student, contenders, trials, watch)
