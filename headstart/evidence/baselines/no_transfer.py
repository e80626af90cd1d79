"""What a model must beat on the same rows: the majority of the training rows, and a sound model without transfer.

That of texts, of pictures and of recordings is a model that can be kept (`MODELS`), which the method no-transfer fits.
Of columns the opponent is another's boosting (`tables.py`), and the method a head of our own on the same columns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from threadpoolctl import threadpool_limits

from headstart.evidence.baselines.pictures import fit_pictures
from headstart.evidence.baselines.sounds import fit_sounds
from headstart.evidence.baselines.tables import learn_table
from headstart.evidence.baselines.text import fit_text
from headstart.evidence.baselines.untransferred import Untransferred
from headstart.heads.head import ClassWeight
from headstart.tasks import ARRAY, AUDIO, IMAGE, TABLE, TEXT
from headstart.tasks.goal import Aim, Answers
from headstart.tasks.task import Array, Kind, Task

__all__ = ["LEARNERS", "MODELS", "REVISION", "Learner", "fit_untransferred", "majority", "no_transfer"]

REVISION = 3
"""Raised by whoever changes what these models answer, or the heads that they stand on: answers are cached."""

Learner = Callable[[Task, Any, Array, ClassWeight, int, Aim | None], Answers]
"""(training rows, new inputs, folds, class weight, seed, aim) -> answers to the new, as of `no_transfer`."""


def majority(kind: Kind, targets: Array, classes: int, rows: int) -> Array:
    """The same answer to each of `rows` rows, whatever they hold: the shares of the classes, or the mean value."""
    return kind.constant(targets, classes, rows)


class _Fit(Protocol):
    """What is learnt from training rows, with its arguments as in `no_transfer`; folds are numbered from 0."""

    def __call__(
        self, train: Task, *, folds: Array, class_weight: ClassWeight, seed: int, aim: Aim | None = None
    ) -> Untransferred: ...


def no_transfer(
    train: Task, new: Any, *, folds: Array, class_weight: ClassWeight = None, seed: int = 0, aim: Aim | None = None
) -> Answers:
    """Answers to `new` inputs by a sound model that reuses nothing: (M, C) probabilities, or (M,) values.

    train   labelled rows; pictures are given as thumbnails (N, 32, 32, 3) uint8, and so are the new ones, or as
            descriptions of these (N, 2344); recordings as sketches (N, W) float32
    folds   (N,) the fold in which each training row is held out, for choosing the strength
    aim     what they are to be good at; None: the likeliest class

    Where all training rows have the same answer there is nothing to learn, and it is given. Raises `ValueError` where
    the training rows have no targets, the folds hold none of them out, or the modality has no model in `LEARNERS`.
    """
    learn = LEARNERS.get(train.modality)
    if learn is None:
        raise ValueError(f"no model without transfer for {train.modality} inputs: put one into LEARNERS")
    targets, folds = _checked(train), np.unique(folds, return_inverse=True)[1]
    if (targets == targets[0]).all():
        return majority(train.kind, targets, len(train.classes), len(new))
    _require_folds(folds)
    with threadpool_limits(1):
        return learn(train, new, folds, class_weight, seed, aim)


def fit_untransferred(
    train: Task, *, folds: Array, class_weight: ClassWeight = None, seed: int = 0, aim: Aim | None = None
) -> Untransferred:
    """The model whose answers `no_transfer` gives, to be kept; arguments as there. `ValueError` where the modality has
    none in `MODELS`."""
    fit = MODELS.get(train.modality)
    if fit is None:
        raise ValueError(f"no model without transfer for {train.modality} inputs: put one into MODELS")
    folds = np.unique(folds, return_inverse=True)[1]
    _checked(train)
    _require_folds(folds)
    with threadpool_limits(1):
        return fit(train, folds=folds, class_weight=class_weight, seed=seed, aim=aim)


def _checked(train: Task) -> Array:
    """The targets of the training rows."""
    if train.targets is None:
        raise ValueError("the training rows have no targets: a model without transfer needs labelled rows")
    return np.asarray(train.targets)


def _require_folds(folds: Array) -> None:
    if folds.max() == 0:
        raise ValueError(f"all {len(folds)} training rows are in one fold, so that none is held out: give two or more")


def _rows(train: Task, new: Any, folds: Array, class_weight: ClassWeight, seed: int, aim: Aim | None) -> Answers:
    return learn_table(train, new, folds=folds, class_weight=class_weight, seed=seed, aim=aim)


def _answers(train: Task, new: Any, folds: Array, class_weight: ClassWeight, seed: int, aim: Aim | None) -> Answers:
    return MODELS[train.modality](train, folds=folds, class_weight=class_weight, seed=seed, aim=aim).answers(new)


MODELS: dict[str, _Fit] = {IMAGE: fit_pictures, TEXT: fit_text, AUDIO: fit_sounds}
"""By modality, a sound model that reuses nothing and can be kept; columns are features as they are."""

LEARNERS: dict[str, Learner] = {
    **dict.fromkeys((IMAGE, TEXT, AUDIO), _answers),
    **dict.fromkeys((TABLE, ARRAY), _rows),
}
"""By modality, what such a model answers."""
