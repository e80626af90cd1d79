"""The rows that a student learns from: with labels, without, or some of either."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from headstart.data.join import join
from headstart.data.losses import require_few_lost
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.errors import DataError, MissingColumn
from headstart.listener import Listener
from headstart.methods.teacher import Teacher
from headstart.tasks.task import Task

__all__ = ["StudentData", "read_student"]


class StudentData(NamedTuple):
    """What was read.

    rows      those with a label; where none to learn from has one, all rows, whose answers are then the teacher's
    bare      rows without a label beside them; None: there are none
    labelled  whether rows to learn from have labels
    """

    rows: Task
    bare: Task | None
    labelled: bool


def read_student(
    data: Any,
    unlabelled: Any,
    test: Any,
    teacher: Teacher | None,
    *,
    roles: Roles,
    kind: str | None,
    allow_losses: bool,
    listener: Listener,
) -> StudentData:
    """Read data that may lack labels, inputs that have none, and the user's own test data behind.

    teacher   whose kind and modality they must be of; None: a student is its own

    Raises DataError where they are of another kind or modality, and where there is neither a label nor a teacher.
    """
    task, why = _read(data, roles, kind)
    require_few_lost(task, allow=allow_losses, learnt=True)
    if teacher is not None:
        teacher.suits(task)
    if task.targets is None:
        if teacher is None:
            raise DataError(f"a student that is its own teacher needs labels to begin with. {' '.join(why)}")
        task = replace(task, kind=teacher.models[0].kind, classes=teacher.classes, notes=(*task.notes, *why))
    labelled = task.targets is not None and bool(_to_learn(task).any())
    if test is not None:
        tested = read(test, roles=replace(roles, modality=task.modality), kind=task.kind, columns=task.columns)
        require_few_lost(tested, allow=allow_losses, of="the test data")
        task = join(task, tested)
    more = None if unlabelled is None else _inputs(unlabelled, roles, task, allow_losses)
    if not labelled:
        student_data = StudentData(task, more, False)
    else:
        has_label = task.kind.known(np.asarray(task.targets))
        bare = replace(task.take(np.flatnonzero(~has_label)), targets=None, set_aside=())
        student_data = StudentData(task.take(np.flatnonzero(has_label)), _both(bare, more), True)
    _say(student_data, listener)
    return student_data


def _read(data: Any, roles: Roles, kind: str | None) -> tuple[Task, tuple[str, ...]]:
    """The task, and why it is taken to have no labels, if it is: not where it has some that cannot be read."""
    try:
        return read(data, roles=roles, kind=kind, partly=True), ()
    except DataError as error:
        if roles.target is not None:
            raise
        why = error
    task = read(data, roles=roles, need_target=False)
    if task.columns is not None and task.columns.input and not isinstance(why, MissingColumn):
        raise why
    return task, (f"the data are taken to have no labels: {why}",)


def _to_learn(task: Task) -> Any:
    """(N,) bool: rows to learn from that have a label."""
    labelled = task.kind.known(np.asarray(task.targets))
    return labelled if task.split is None else labelled & (np.asarray(task.split) != "test")


def _inputs(unlabelled: Any, roles: Roles, like: Task, allow_losses: bool) -> Task:
    """Inputs alone, whatever else the data hold."""
    task = read(unlabelled, roles=Roles(input=roles.input, modality=like.modality), need_target=False)
    require_few_lost(task, allow=allow_losses, of="the data without labels", learnt=True)
    return replace(task, kind=like.kind, classes=like.classes)


def _both(bare: Task, more: Task | None) -> Task | None:
    """Rows without a label from both places, as inputs and nothing else."""
    parts = [part for part in (bare, more) if part is not None and len(part)]
    if not parts:
        return None
    inputs = parts[0].inputs if len(parts) == 1 else bare.modality.stack(parts[0].inputs, parts[1].inputs)
    names = [name for part in parts for name in part.names]
    aside = tuple(item for part in parts for item in part.set_aside)
    first = parts[0]
    return Task(
        inputs=inputs,
        targets=None,
        kind=first.kind,
        modality=first.modality,
        classes=first.classes,
        names=names,
        set_aside=aside,
    )


def _say(student_data: StudentData, listener: Listener) -> None:
    classes = f" of {len(student_data.rows.classes)} classes" if student_data.rows.classes else ""
    labels = classes if student_data.labelled else " without labels: the teacher's answers stand for them"
    listener.say(f"read {len(student_data.rows):,} {student_data.rows.modality.noun}{labels}")
    if student_data.bare is not None:
        listener.say(f"  {len(student_data.bare):,} more without a label")
    for note in student_data.rows.notes:
        listener.say(f"  {note}")
