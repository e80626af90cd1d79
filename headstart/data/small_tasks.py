"""Many small tasks as one: a folder of folders, each of which holds the classes of one task."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.data.split_names import split_of
from headstart.errors import DataError
from headstart.messages import few, shown
from headstart.tasks.task import Task

__all__ = ["read_small_tasks", "small_tasks_in"]


def small_tasks_in(root: str) -> list[str]:
    """The names of the sub-folders of a folder, where each of them holds two or more folders and no file, and they are
    no splits; else none."""
    if not os.path.isdir(root):
        return []
    names = [name for name in sorted(os.listdir(root)) if not name.startswith(".")]
    folders = [name for name in names if os.path.isdir(os.path.join(root, name))]
    deep = all(_holds_folders(os.path.join(root, name)) for name in folders)
    are_splits = all(split_of(name) for name in folders)
    return folders if len(folders) > 1 and folders == names and deep and not are_splits else []


def _holds_folders(folder: str) -> bool:
    with os.scandir(folder) as entries:
        visible = [entry.is_dir() for entry in entries if not entry.name.startswith(".")]
    return len(visible) > 1 and all(visible)


def read_small_tasks(root: str, names: Sequence[str], *, roles: Roles) -> Task:
    """The tasks in these sub-folders as one whose `domain` says which of them a row is of. Classes of one name are one.

    Raises DataError where one of them cannot be read, or they are not of one modality.
    """
    tasks = []
    for name in names:
        try:
            tasks.append(read(os.path.join(root, name), roles=roles))
        except DataError as error:
            raise DataError(f"the small task {shown(name)!r}: {error}") from error
    modalities = sorted({str(task.modality) for task in tasks})
    if len(modalities) > 1:
        raise DataError(f"small tasks of {few(modalities)} inputs in {shown(root)!r}: expected one kind of inputs")
    classes = tuple(sorted({label for task in tasks for label in task.classes}, key=str))
    place = {label: code for code, label in enumerate(classes)}
    starts = np.cumsum([0, *(task.n_read for task in tasks)])
    return Task(
        inputs=[item for task in tasks for item in task.inputs],
        targets=np.concatenate([np.array([place[label] for label in t.classes])[np.asarray(t.targets)] for t in tasks]),
        kind=tasks[0].kind,
        modality=tasks[0].modality,
        classes=classes,
        names=[f"{shown(name)}/{row}" for name, task in zip(names, tasks, strict=True) for row in task.names],
        places=np.concatenate([task.positions + start for task, start in zip(tasks, starts[:-1], strict=True)]),
        domain=np.repeat(np.array(names, dtype=object), [len(task) for task in tasks]),
        set_aside=tuple(
            item._replace(
                name=f"{shown(name)}/{item.name}", place=None if item.place is None else int(item.place + start)
            )
            for name, task, start in zip(names, tasks, starts[:-1], strict=True)
            for item in task.set_aside
        ),
        notes=(f"small tasks: {len(tasks)}, from the names of the folders: {few(names, 5)}",),
    )
