"""What a model must beat on the same rows: the majority of the training rows, and a sound model without transfer."""

from __future__ import annotations

from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from headstart.evidence.baselines.pictures import learn_pictures
from headstart.evidence.baselines.tables import learn_table
from headstart.evidence.baselines.text import learn_text
from headstart.heads.head import ClassWeight
from headstart.tasks.task import Array, Kind, Task

__all__ = ["majority", "no_transfer"]


def majority(kind: Kind, targets: Array, classes: int, rows: int) -> Array:
    """The same answer to each of `rows` rows, whatever they hold: the shares of the classes, or the mean value."""
    if kind == "regression":
        return np.full(rows, float(np.mean(targets)))
    if kind == "multilabel":
        share = np.asarray(targets, dtype=np.float64).mean(axis=0)
    else:
        share = np.bincount(targets, minlength=classes) / len(targets)
    return np.tile(share, (rows, 1))


def no_transfer(train: Task, new: Any, *, folds: Array, class_weight: ClassWeight = None, seed: int = 0) -> Array:
    """Predictions for `new` inputs by a sound model that reuses nothing: (M, C) probabilities, or (M,) values.

    train   labelled rows; pictures are given as thumbnails (N, 32, 32, 3) uint8, and so are the new ones
    folds   (N,) the fold in which each training row is held out, for choosing the strength

    Where all training rows have the same answer there is nothing to learn, and it is given. Raises `ValueError` where
    the training rows have no targets, or the folds hold none of them out.
    """
    if train.targets is None:
        raise ValueError("the training rows have no targets: a model without transfer needs labelled rows")
    targets, folds = np.asarray(train.targets), np.unique(folds, return_inverse=True)[1]
    if (targets == targets[0]).all():
        return majority(train.kind, targets, len(train.classes), len(new))
    if folds.max() == 0:
        raise ValueError(f"all {len(folds)} training rows are in one fold, so that none is held out: give two or more")
    with threadpool_limits(1):
        if train.modality == "image":
            return learn_pictures(train, new, folds=folds, class_weight=class_weight, seed=seed)
        if train.modality == "text":
            return learn_text(train, list(new), folds=folds, class_weight=class_weight)
        return learn_table(train, new, folds=folds, class_weight=class_weight, seed=seed)
