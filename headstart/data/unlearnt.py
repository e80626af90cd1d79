"""Rows to test on whose class is none that the model learns: one rule, wherever they come from.

New data, test data of the user's own and the test rows of a split column: such rows stay, have `Task.unlearnt`, and
count as wrong in every score, since no answer to them can be right.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np

from headstart.data.labels import fold
from headstart.errors import DataError
from headstart.messages import did_you_mean, few
from headstart.tasks.task import Array, Task

__all__ = ["as_learnt", "codes_among", "to_classes"]


def codes_among(labels: Sequence[Hashable], classes: Sequence[Hashable]) -> Array:
    """(L,) the code that each label has among `classes`, -1 where it has none. They are matched by their text, since a
    table may hold 1 where the model learnt "1". Raises DataError where no label has one."""
    by_text = {fold(str(label)): code for code, label in enumerate(classes)}
    codes = np.array([by_text.get(fold(str(label)), -1) for label in labels], dtype=np.int64)
    if len(codes) and (codes < 0).all():
        hint = did_you_mean(str(labels[0]), by_text)
        raise DataError(f"the model knows none of the labels {few(labels)}: it learnt {few(classes)}.{hint}")
    return codes


def to_classes(task: Task, classes: Sequence[Hashable]) -> Task:
    """The same rows with targets in the codes of `classes`, what a model learnt; their other labels are in `unlearnt`.

    A classification's row without a learnt label has code -1. Raises DataError where no label is learnt.
    """
    if not task.kind.has_classes or task.targets is None or task.classes == tuple(classes):
        return task
    codes = codes_among(task.classes, classes)
    strange = np.flatnonzero(codes < 0).tolist()
    if task.kind.exclusive:
        targets = np.append(codes, -1)[task.targets]
        rows: list[tuple[int, ...]] = [(code,) if code in strange else () for code in task.targets.tolist()]
    else:
        targets = np.zeros((len(task), len(classes)), dtype=np.uint8)
        for place, code in enumerate(codes):
            if code >= 0:
                targets[:, code] |= task.targets[:, place].astype(np.uint8)
        rows = [tuple(place for place in strange if row[place]) for row in task.targets]
    unlearnt = np.empty(len(task), dtype=object)
    for row, places in enumerate(rows):
        unlearnt[row] = tuple(task.classes[place] for place in places)
    return replace(task, targets=targets, classes=tuple(classes), unlearnt=unlearnt if any(unlearnt) else None)


def as_learnt(task: Task) -> Task:
    """The task with only those classes that have a row to learn from, where it came split."""
    if task.split is None or task.targets is None or not task.kind.has_classes:
        return task
    split = np.asarray(task.split)
    learnt = task.targets[split != ("test" if (split == "test").any() else "val")]
    counts = task.kind.counts(learnt, len(task.classes))
    if not len(learnt) or not counts.any():
        return task
    return to_classes(task, [label for label, count in zip(task.classes, counts.tolist(), strict=True) if count])
