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


def divided(seen: FeatureSet, training: Training) -> Holdout:
    """The rows of one task. DataError where there are too few."""
    if not training.validation:
        return Holdout(np.arange(len(seen)), _NOBODY)
    targets = np.asarray(seen.task.targets)
    rows, held = _held_out(seen, targets, training)
    if len(rows) < 2 or not len(held):
        raise DataError(f"{len(seen)} rows are too few to train weights on and stop in time: use method 'probe'")
    return Holdout(rows, held)


def divided_target(seen: FeatureSet, target: FeatureSet, training: Training) -> Holdout:
    """The rows of a task and of a target beside it. Only labelled target rows can say when the answers for the target
    are best: of at least `FEWEST` a share is held out, and of fewer none; rows of the task never are."""
    rows, behind = np.arange(len(seen)), len(seen) + np.arange(len(target))
    known = np.flatnonzero(answered(target))
    if not training.validation or len(known) < FEWEST:
        return Holdout(rows, _NOBODY, behind)
    labelled = target.take(known)
    _, held = _held_out(labelled, np.asarray(labelled.task.targets), training)
    return Holdout(rows, behind[known[held]], np.delete(behind, known[held]))


def answered(target: FeatureSet) -> Array:
    """(N,) which rows have a target: codes from 0 up, or numbers."""
    targets = target.task.targets
    if targets is None:
        return np.zeros(len(target), dtype=bool)
    return target.task.kind.known(targets)


def _held_out(seen: FeatureSet, targets: Array, training: Training) -> tuple[Array, Array]:
    task = seen.task
    fold = folds(targets, task.kind, seen.blocks, seen.keys, k=round(1 / training.validation), seed=training.seed)
    chosen = _most_alike(targets, fold, task.kind)
    return np.flatnonzero(fold != chosen), np.flatnonzero(fold == chosen)


def _most_alike(targets: Array, fold: Array, kind: Kind) -> int:
    """The fold whose targets are most like all of them: large groups make some folds lopsided."""
    coded = (targets[:, None] == np.unique(targets)) if kind.exclusive else targets.reshape(len(targets), -1)
    whole = coded.mean(axis=0)
    apart = [float(np.abs(coded[fold == one].mean(axis=0) - whole).sum()) for one in range(int(fold.max()) + 1)]
    return int(np.argmin(apart))
