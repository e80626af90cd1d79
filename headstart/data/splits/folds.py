"""Fewer folds out of many, for fitters that cannot leave out every row on its own."""

from __future__ import annotations

import numpy as np

from headstart.tasks.task import Array

__all__ = ["merged", "numbered"]


def merged(folds: Array, codes: Array, at_most: int) -> Array:
    """Folds (N,) 0 .. F - 1 -> at most that many, each the union of whole folds, alike in classes and in size.

    codes   (N,) int, the class of each row. The largest fold goes first, always to where its classes are rarest
    """
    size = np.bincount(folds)
    if len(size) <= at_most:
        return folds
    classes = int(codes.max()) + 1
    counts = np.bincount(folds * classes + codes, minlength=len(size) * classes).reshape(-1, classes).astype(np.float64)
    united = np.zeros((at_most, classes))
    place = np.empty(len(size), dtype=np.int64)
    for fold in np.argsort(-size, kind="stable"):
        total = united.sum(axis=1)
        place[fold] = np.lexsort((total, united @ counts[fold]))[0]
        united[place[fold]] += counts[fold]
    return np.asarray(place[folds])


def numbered(folds: Array) -> Array:
    """Folds numbered 0, 1, ... as they first appear, whatever they were called."""
    _, first, index = np.unique(folds, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[index]
