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
        given = read(test, roles=replace(roles, modality=task.modality), kind=task.kind, columns=task.columns)
        require_few_lost(given, allow=allow_losses, of="the test data")
        task = join(task, given)
    more = None if unlabelled is None else _inputs(unlabelled, roles, task, allow_losses)
    if not labelled:
        found = StudentData(task, more, False)
    else:
        known = task.kind.known(np.asarray(task.targets))
        own = replace(task.take(np.flatnonzero(~known)), targets=None, set_aside=())
        found = StudentData(task.take(np.flatnonzero(known)), _both(own, more), True)
    _say(found, listener)
    return found


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
    known = task.kind.known(np.asarray(task.targets))
    return known if task.split is None else known & (np.asarray(task.split) != "test")


def _inputs(unlabelled: Any, roles: Roles, like: Task, allow_losses: bool) -> Task:
    """Inputs alone, whatever else the data hold."""
    task = read(unlabelled, roles=Roles(input=roles.input, modality=like.modality), need_target=False)
    require_few_lost(task, allow=allow_losses, of="the data without labels", learnt=True)
    return replace(task, kind=like.kind, classes=like.classes)


def _both(own: Task, more: Task | None) -> Task | None:
    """Rows without a label from both places, as inputs and nothing else."""
    parts = [part for part in (own, more) if part is not None and len(part)]
    if not parts:
        return None
    inputs = parts[0].inputs if len(parts) == 1 else own.modality.stack(parts[0].inputs, parts[1].inputs)
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


def _say(found: StudentData, listener: Listener) -> None:
    classes = f" of {len(found.rows.classes)} classes" if found.rows.classes else ""
    labels = classes if found.labelled else " without labels: the teacher's answers stand for them"
    listener.say(f"read {len(found.rows):,} {found.rows.modality.noun}{labels}")
    if found.bare is not None:
        listener.say(f"  {len(found.bare):,} more without a label")
    for note in found.rows.notes:
        listener.say(f"  {note}")
