"""What a model must beat on the same rows: the majority of the training rows, and a sound model without transfer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from headstart.evidence.baselines.pictures import learn_pictures
from headstart.evidence.baselines.tables import learn_table
from headstart.evidence.baselines.text import learn_text
from headstart.heads.head import ClassWeight
from headstart.tasks import ARRAY, IMAGE, TABLE, TEXT
from headstart.tasks.goal import Aim, Answers
from headstart.tasks.task import Array, Kind, Task

__all__ = ["LEARNERS", "REVISION", "Learner", "majority", "no_transfer"]

REVISION = 2
"""Raised by whoever changes what these models answer, or the heads that they stand on: answers are cached."""

Learner = Callable[[Task, Any, Array, ClassWeight, int, Aim | None], Answers]
"""(training rows, new inputs, folds, class weight, seed, aim) -> answers to the new, as of `no_transfer`."""


def majority(kind: Kind, targets: Array, classes: int, rows: int) -> Array:
    """The same answer to each of `rows` rows, whatever they hold: the shares of the classes, or the mean value."""
    return kind.constant(targets, classes, rows)


def no_transfer(
    train: Task, new: Any, *, folds: Array, class_weight: ClassWeight = None, seed: int = 0, aim: Aim | None = None
) -> Answers:
    """Answers to `new` inputs by a sound model that reuses nothing: (M, C) probabilities, or (M,) values.

    train   labelled rows; pictures are given as thumbnails (N, 32, 32, 3) uint8, and so are the new ones, or as
            descriptions of these (N, 2344)
    folds   (N,) the fold in which each training row is held out, for choosing the strength
    aim     what they are to be good at; None: the likeliest class

    Where all training rows have the same answer there is nothing to learn, and it is given. Raises `ValueError` where
    the training rows have no targets, the folds hold none of them out, or the modality has no model in `LEARNERS`.
    """
    learn = LEARNERS.get(train.modality)
    if learn is None:
        raise ValueError(f"no model without transfer for {train.modality} inputs: put one into LEARNERS")
    if train.targets is None:
        raise ValueError("the training rows have no targets: a model without transfer needs labelled rows")
    targets, folds = np.asarray(train.targets), np.unique(folds, return_inverse=True)[1]
    if (targets == targets[0]).all():
        return majority(train.kind, targets, len(train.classes), len(new))
    if folds.max() == 0:
        raise ValueError(f"all {len(folds)} training rows are in one fold, so that none is held out: give two or more")
    with threadpool_limits(1):
        return learn(train, new, folds, class_weight, seed, aim)


def _pictures(train: Task, new: Any, folds: Array, class_weight: ClassWeight, seed: int, aim: Aim | None) -> Answers:
    return learn_pictures(train, new, folds=folds, class_weight=class_weight, seed=seed, aim=aim)


def _texts(train: Task, new: Any, folds: Array, class_weight: ClassWeight, seed: int, aim: Aim | None) -> Answers:
    return learn_text(train, list(new), folds=folds, class_weight=class_weight, aim=aim)


def _rows(train: Task, new: Any, folds: Array, class_weight: ClassWeight, seed: int, aim: Aim | None) -> Answers:
    return learn_table(train, new, folds=folds, class_weight=class_weight, seed=seed, aim=aim)


LEARNERS: dict[str, Learner] = {IMAGE: _pictures, TEXT: _texts, TABLE: _rows, ARRAY: _rows}
"""By modality, a sound model that reuses nothing."""
