"""A sound opponent for recordings: cepstral coefficients (Davis and Mermelstein, 1980), their spread, their slopes and
their means in each third of the recording (`data.sound_sketch`), and logistic or ridge regression, or boosted trees."""

from __future__ import annotations

import numpy as np

from headstart.evidence.baselines.untransferred import Untransferred
from headstart.heads.head import ClassWeight
from headstart.heads.select import fit_probe
from headstart.preprocessing.sound_encoder import SoundEncoder
from headstart.tasks.goal import Aim
from headstart.tasks.task import Array, Task

__all__ = ["fit_sounds"]

_TREES = 200
"""Rows from which trees are tried: of few they are never the best, and take the longest."""


def fit_sounds(
    train: Task, *, folds: Array, class_weight: ClassWeight, seed: int, aim: Aim | None = None
) -> Untransferred:
    """What is learnt from sketches (N, W) float32; the head is the one that does best on the folds."""
    encoder, targets = SoundEncoder(), np.asarray(train.targets)
    heads = ("ridge", "logistic", *(("boosting",) if len(targets) >= _TREES and not train.kind.several else ()))
    fit = fit_probe(
        encoder.transform(np.asarray(train.inputs)), targets, kind=train.kind, classes=max(1, len(train.classes)),
        folds=folds, class_weight=class_weight, seed=seed, heads=heads, aim=aim, weights=train.weight,
    )  # fmt: skip
    return Untransferred(encoder, fit)
