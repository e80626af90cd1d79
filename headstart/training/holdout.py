"""Which rows of a training learn, and which say when to stop: of the task, or of a target task beside it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from headstart.data.splits.split import folds
from headstart.errors import DataError
from headstart.features.feature_set import FeatureSet
from headstart.tasks.task import Array, Kind
from headstart.training.options import Training

__all__ = ["FEWEST", "Holdout", "answered", "divided", "divided_target"]

_NOBODY: Array = np.arange(0)

FEWEST = 50
"""Labelled target rows from which a share of them says when to stop."""


class Holdout(NamedTuple):
    """Row numbers: of the task and of the target to learn from, and of those held out. Target rows are numbered behind
    those of the task.

    bare   rows without an answer, numbered like those of a target, of which a teacher has some to learn from
    """

    rows: Array
    held: Array
    target: Array = _NOBODY
    bare: Array = _NOBODY


def divided(feature_set: FeatureSet, training: Training) -> Holdout:
    """The rows of one task. DataError where there are too few."""
    if not training.validation:
        return Holdout(np.arange(len(feature_set)), _NOBODY)
    targets = np.asarray(feature_set.task.targets)
    rows, held_out = _held_out(feature_set, targets, training)
    if len(rows) < 2 or not len(held_out):
        raise DataError(f"{len(feature_set)} rows are too few to train weights on and stop in time: use method 'probe'")
    return Holdout(rows, held_out)


def divided_target(feature_set: FeatureSet, target: FeatureSet, training: Training) -> Holdout:
    """The rows of a task and of a target beside it. Only labelled target rows can say when the answers for the target
    are best: of at least `FEWEST` a share is held out, and of fewer none; rows of the task never are."""
    rows, behind = np.arange(len(feature_set)), len(feature_set) + np.arange(len(target))
    with_label = np.flatnonzero(answered(target))
    if not training.validation or len(with_label) < FEWEST:
        return Holdout(rows, _NOBODY, behind)
    labelled = target.take(with_label)
    _, held_out = _held_out(labelled, np.asarray(labelled.task.targets), training)
    return Holdout(rows, behind[with_label[held_out]], np.delete(behind, with_label[held_out]))


def answered(target: FeatureSet) -> Array:
    """(N,) which rows have a target: codes from 0 up, or numbers."""
    targets = target.task.targets
    if targets is None:
        return np.zeros(len(target), dtype=bool)
    return target.task.kind.known(targets)


def _held_out(feature_set: FeatureSet, targets: Array, training: Training) -> tuple[Array, Array]:
    task = feature_set.task
    fold = folds(
        targets, task.kind, feature_set.blocks, feature_set.keys, k=round(1 / training.validation), seed=training.seed
    )
    chosen = _most_alike(targets, fold, task.kind)
    return np.flatnonzero(fold != chosen), np.flatnonzero(fold == chosen)


def _most_alike(targets: Array, fold: Array, kind: Kind) -> int:
    """The fold whose targets are most like all of them: large groups make some folds lopsided."""
    coded = (targets[:, None] == np.unique(targets)) if kind.exclusive else targets.reshape(len(targets), -1)
    mean = coded.mean(axis=0)
    apart = [float(np.abs(coded[fold == number].mean(axis=0) - mean).sum()) for number in range(int(fold.max()) + 1)]
    return int(np.argmin(apart))
