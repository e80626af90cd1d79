"""Whom a student learns from: fitted models, or born again (Furlanello et al., 2018), its own fit without a teacher."""

from __future__ import annotations

from typing import Any

from headstart.features.feature_set import FeatureSet
from headstart.losses.supervised import Knowledge
from headstart.methods.finetune import FineTune
from headstart.methods.method import Data, Method
from headstart.methods.model import model_of
from headstart.methods.plan import Plan
from headstart.methods.table import row_of, without_teacher
from headstart.methods.teacher import Teacher
from headstart.methods.teaching import Teaching

__all__ = ["SELF", "knowledge_of", "own_teacher", "refuse_teacher", "teaching_for"]

SELF = "self"


def knowledge_of(plan: Plan) -> Knowledge:
    """What of a teacher the plan's method learns from. ValueError for a method that learns from none."""
    row = row_of(plan)
    if not isinstance(row, FineTune) or not row.needs_teacher:
        raise ValueError(f"method {plan.method!r} learns from no teacher: use 'distil', or {plan.method}+distil")
    return row.loss.learns_from


def own_teacher(plan: Plan, data: Data) -> Teacher:
    """The same student, fitted to the same rows without a teacher."""
    alone = without_teacher(plan)
    task = data.rows.task
    fitted = row_of(alone).fit(alone, data._replace(teaching=None))
    return Teacher.of(model_of(fitted, alone, data.rows, classes=task.classes, columns=task.columns))


def teaching_for(teachers: Any, plan: Plan, data: Data, bare: FeatureSet | None) -> Teaching:
    """What a teacher says of the rows of `data`, and of rows without a label.

    teachers   as `Teacher.of` takes it; SELF: the student's own fit without a teacher
    """
    knowledge = knowledge_of(plan)
    teacher = own_teacher(plan, data) if isinstance(teachers, str) and teachers == SELF else Teacher.of(teachers)
    teacher.require(knowledge, plan.method)
    return Teaching.of(teacher, data.rows, bare, knowledge, data.how)


def refuse_teacher(row: Method, name: str, teacher: Any, unlabelled: Any = None) -> None:
    """ValueError where a method needs a teacher and has none, or has no use for one."""
    if row.needs_teacher and teacher is None:
        raise ValueError(
            f"method {name!r} learns from a teacher: give one with headstart.distil, or as teacher to Transfer.fit"
        )
    if teacher is None and unlabelled is not None:
        raise ValueError("rows without a label are learnt from a teacher's answers: give a teacher, or leave them out")
    if teacher is not None and not row.needs_teacher:
        raise ValueError(f"method {name!r} learns from no teacher: leave teacher out, or use 'distil'")
