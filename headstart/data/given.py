"""A task that was made elsewhere, for inputs that have no reader of files: taken as it is, once it is checked."""

from __future__ import annotations

from dataclasses import replace

from headstart.errors import DataError
from headstart.tasks.task import SetAside, Task

__all__ = ["as_read"]


def as_read(task: Task, *, kind: str | None = None, need_target: bool = True) -> Task:
    """The task as a reader gives it: rows have names, and items that are no inputs of its modality are set aside.

    Raises DataError where it has no targets and needs some, is of another kind, or has no row that can be used.
    """
    if need_target and task.targets is None:
        raise DataError("the task has no targets, and they are needed: give Task(targets=...)")
    if kind is not None and need_target and kind != task.kind:
        raise DataError(f"the task asks for {task.kind}, and {kind} is asked for: leave kind out")
    if not len(task):
        raise DataError("the task has no rows: at least one is needed")
    names = list(task.names) or [f"row {row}" for row in range(len(task))]
    broken = {row: why for row, item in _items(task) if (why := task.modality.obstacle(item))}
    places = task.positions
    aside = tuple(SetAside(names[row], why, int(places[row])) for row, why in broken.items())
    named = replace(task, names=names, set_aside=task.set_aside + aside, targets=task.targets if need_target else None)
    if len(broken) == len(task):
        raise DataError(f"no usable rows: all {len(task)} were set aside, the first of them {names[0]}: {broken[0]}")
    return named.take([row for row in range(len(task)) if row not in broken]) if broken else named


def _items(task: Task) -> list[tuple[int, object]]:
    return [] if task.modality.has_columns else list(enumerate(task.inputs))
