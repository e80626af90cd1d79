"""One task out of several side by side: the rows that answer it, as a task of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headstart.features.feature_set import FeatureSet
from headstart.heads.head import ClassWeight
from headstart.heads.sample_weights import row_weights
from headstart.multitask.joint import Answers
from headstart.tasks.side_by_side import Part
from headstart.tasks.task import Array, Task

__all__ = ["answers_of", "part_of", "rows_of", "targets_of", "weights_of"]


def rows_of(task: Task, part: Part) -> Array:
    """The numbers of the rows whose answer to this part is known."""
    targets = np.asarray(task.targets)
    return np.flatnonzero(np.isfinite(targets[:, part.columns.start]))


def targets_of(task: Task, part: Part, rows: Array) -> Array:
    """The answers of these rows, as the part's own kind has them."""
    targets = np.asarray(task.targets)[rows, part.columns].astype(part.kind.dtype)
    return targets if part.kind.several else targets[:, 0]


def part_of(feature_set: FeatureSet, part: Part, rows: Array | None = None) -> FeatureSet:
    """A feature set of one task alone: of these rows, or of all that answer it."""
    rows = rows_of(feature_set.task, part) if rows is None else rows
    some = feature_set.take(rows)
    columns = None if some.task.columns is None else some.task.columns._replace(target=part.name)
    targets = targets_of(feature_set.task, part, rows)
    task = replace(some.task, kind=part.kind, classes=part.classes, targets=targets, columns=columns)
    return replace(some, task=task)


def answers_of(task: Task, class_weight: ClassWeight = None) -> tuple[Answers, ...]:
    """What each part's rows answer, and how much each counts; a class weight holds where there are classes."""
    answers = []
    for part in task.kind.parts:
        rows = rows_of(task, part)
        targets = targets_of(task, part, rows)
        answers.append(Answers(part, rows, targets, weights_of(task, part, rows, targets, class_weight)))
    return tuple(answers)


def weights_of(task: Task, part: Part, rows: Array, targets: Array, class_weight: ClassWeight) -> Array:
    """(n,) how much each of these rows counts for this part, of mean 1."""
    sample_weight = None if task.weight is None else np.asarray(task.weight)[rows]
    return row_weights(targets, part.kind, class_weight if part.kind.has_classes else None, sample_weight)
