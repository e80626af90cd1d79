"""How much each row counts in a fit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from headstart.heads.head import ClassWeight
from headstart.tasks.task import Array, Kind

__all__ = ["check_class_weight", "row_weights", "uneven"]


_LEAST = 1e-6
"""Of the mean: a row of no weight at all would leave exact leave-one-out nothing to leave out."""


def row_weights(
    targets: Array, kind: Kind, class_weight: ClassWeight = None, sample_weight: Array | None = None
) -> Array:
    """Targets as in `Task` -> (N,) float64 weights with mean 1, times those that are given.

    None        every row counts once
    "balanced"  every class counts alike: a row of class c weighs N / (C n_c) (King and Zeng, 2001). Multilabel: the
                mean over the labels of the weight that the row's answer to that label would have. Not for regression
    {c: w}      a row of class c weighs w > 0, or 1 where c is not named. Classification only
    """
    if sample_weight is not None:
        return _times(row_weights(targets, kind, class_weight), sample_weight)
    check_class_weight(class_weight, kind)
    if class_weight is None:
        return np.ones(len(targets))
    if isinstance(class_weight, Mapping):
        weights = _named(targets, kind, class_weight)
    else:
        labels = targets[:, None] if kind.exclusive else targets
        weights = np.mean([_balanced(column) for column in labels.T], axis=0)
    return np.asarray(weights / weights.mean())


def check_class_weight(class_weight: object, kind: Kind) -> None:
    """ValueError for what is no class weight, or none for such a task; the names of classes are looked at later."""
    if class_weight is not None and not kind.has_classes:
        raise ValueError(f"class_weight={class_weight!r} needs classes, and this is a {kind} task: leave it out")
    if not (class_weight is None or isinstance(class_weight, Mapping) or class_weight == "balanced"):
        raise ValueError(f"class_weight must be None, 'balanced' or a weight for each class, got {class_weight!r}")


def uneven(weights: Array) -> Array | None:
    """The weights for an estimator of scikit-learn; None where all rows weigh the same."""
    return None if (weights == weights[0]).all() else weights


def _times(weights: Array, sample_weight: Array) -> Array:
    if (
        sample_weight.shape != weights.shape
        or not np.isfinite(sample_weight).all()
        or sample_weight.min() < 0
        or not sample_weight.any()
    ):
        raise ValueError(
            f"weights must be ({len(weights)},) finite numbers from 0 up, not all 0; got {sample_weight!r}"
        )
    weighed = np.maximum(weights * sample_weight / sample_weight.mean(), _LEAST)
    return np.asarray(weighed / weighed.mean())


def _balanced(codes: Array) -> Array:
    present, index, counts = np.unique(codes, return_inverse=True, return_counts=True)
    return np.asarray(len(codes) / (len(present) * counts[index]))


def _named(codes: Array, kind: Kind, named: Mapping[int, float]) -> Array:
    if not kind.exclusive or not all(0 < weight < np.inf for weight in named.values()):
        raise ValueError(f"class_weight must give classes of a classification weights above 0, got {dict(named)!r}")
    return np.array([named.get(int(code), 1.0) for code in codes], dtype=np.float64)
