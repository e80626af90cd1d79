"""A sound opponent for pictures: kernel features of a hand-made description, then ridge with its own cross-validation.

    k(x, z) = exp(-|x - z|^2)      x, z descriptions of unit total variance; z up to 1,024 training pictures

On 23 Twemoji subcategories (355 training pictures) and on 300 digits, balanced accuracy: this .69 and .98, an RBF
support vector machine on the same description .68 and .98, logistic regression on it .66 and .98, gradient boosting
.57; logistic regression on pixels alone .51 and .97.
"""

from __future__ import annotations

import numpy as np
from sklearn.metrics.pairwise import euclidean_distances

from headstart.evidence.baselines.descriptors import Scale, describe, is_description, scale_of
from headstart.heads.head import ClassWeight
from headstart.heads.select import fit_probe
from headstart.linalg.moments import blocks
from headstart.tasks.goal import Aim, Answers
from headstart.tasks.task import Array, Task

__all__ = ["LANDMARKS", "learn_pictures"]

LANDMARKS = 1024
"""How many training pictures others are likened to, at most."""
_BLOCK = 512


def learn_pictures(
    train: Task, new: Array, *, folds: Array, class_weight: ClassWeight, seed: int, aim: Aim | None = None
) -> Answers:
    """Predictions for `new` thumbnails (M, 32, 32, 3) uint8 from those of `train`: (M, C), or (M,) for regression.

    Either may be given as descriptions (`descriptors.describe`): the predictions are the same, to the bit.
    """
    pictures, targets = np.asarray(train.inputs), np.asarray(train.targets)
    chosen = np.random.default_rng(seed).permutation(len(pictures))[:LANDMARKS]
    landmarks = _described(pictures[np.sort(chosen)])
    if len(chosen) == len(pictures):
        pictures = landmarks
    scale = scale_of(landmarks)
    described = scale(landmarks)
    fit = fit_probe(
        _kernel(pictures, described, scale), targets, kind=train.kind, classes=max(1, len(train.classes)), folds=folds,
        class_weight=class_weight, seed=seed, heads=("ridge",), aim=aim, weights=train.weight,
    )  # fmt: skip
    return fit.head.answer(_kernel(np.asarray(new), described, scale))


def _described(pictures: Array) -> Array:
    return pictures if is_description(pictures) else describe(pictures)


def _kernel(pictures: Array, described: Array, scale: Scale) -> Array:
    """(N, L) float32 likeness of each picture to each landmark, whose descriptions are scaled already."""
    likeness = np.empty((len(pictures), len(described)), dtype=np.float32)
    for rows in blocks(len(pictures), _BLOCK):
        likeness[rows] = np.exp(-euclidean_distances(scale(_described(pictures[rows])), described, squared=True))
    return likeness
