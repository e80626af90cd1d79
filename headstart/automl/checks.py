"""What every score refuses in words: features and probabilities that are none, targets that do not fit."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from headstart.heads.standardize import refuse_bad
from headstart.tasks.task import Array, Kind

__all__ = ["Classes", "class_codes", "features_of", "members_of", "probabilities_of", "truth_of", "values_of"]

OFF = 1e-4
"""How far a row of probabilities may be from a sum of 1: what a softmax in half precision leaves."""


class Classes(NamedTuple):
    """codes (N,) int64 from 0 to C - 1, and how many rows each class has, counts (C,)."""

    codes: Array
    counts: Array

    @property
    def indicators(self) -> Array:
        """(N, C) float64: 1 where the row is of the class, else 0."""
        return np.asarray(self.codes[:, None] == np.arange(len(self.counts)), dtype=np.float64)

    def means(self, rows: Array) -> Array:
        """(N, K) -> (C, K): the mean of each class."""
        return np.asarray(self.indicators.T @ rows / self.counts[:, None])


def features_of(features: npt.ArrayLike) -> Array:
    """(N, D) numbers as they are, of two rows at least and one column. ValueError for others, and where one is NaN."""
    array = np.asarray(features)
    if array.ndim != 2 or array.shape[0] < 2 or array.shape[1] < 1:
        raise ValueError(f"features have shape {array.shape}: expected (rows, columns), at least two rows and a column")
    if array.dtype.kind not in "iufb":
        raise ValueError(f"features are of type {array.dtype}: expected real numbers, such as float32")
    array = array if array.dtype.kind == "f" else array.astype(np.float64)
    refuse_bad(array)
    return array


def probabilities_of(probabilities: npt.ArrayLike) -> Array:
    """(N, S) float64 whose rows sum to 1 exactly. ValueError where one is below 0, or a row is further off than OFF."""
    p = features_of(probabilities).astype(np.float64)
    sums = p.sum(axis=1)
    off = float(np.abs(sums - 1).max())
    if p.min() < 0 or off > OFF:
        raise ValueError(
            f"source probabilities have a least value of {p.min():.3g}, and rows up to {off:.3g} off a sum of 1: "
            "expected one probability of each source class a row; pass logits through a softmax first"
        )
    return np.asarray(p / sums[:, None])


def class_codes(targets: npt.ArrayLike, rows: int) -> Classes:
    """Labels (N,) of any type -> codes. ValueError where they are values rather than labels, or of one class."""
    labels = _one_a_row(targets, rows)
    values = labels[np.isfinite(labels)] if labels.dtype.kind == "f" else np.zeros(0)
    if (values % 1).any():
        raise ValueError(
            f"targets hold numbers that are not whole, such as {values[values % 1 != 0][0]:g}: expected a class label "
            "a row; for values pass kind='regression' to logme, knn or leave_one_out, which are defined for them"
        )
    codes, present = pd.factorize(labels)
    if codes.min() < 0:
        raise ValueError(f"{(codes < 0).sum()} of {rows} targets are missing: leave out the rows that have no label")
    if len(present) < 2:
        raise ValueError(f"all {rows} rows are of class {present.tolist()[0]!r}: expected rows of two classes at least")
    return Classes(codes.astype(np.int64), np.bincount(codes))


def values_of(targets: npt.ArrayLike, rows: int) -> Array:
    """(N,) float64. ValueError where they are no finite numbers, or all the same."""
    values = _one_a_row(targets, rows)
    if values.dtype.kind not in "iufb":
        raise ValueError(f"targets are of type {values.dtype}: expected a number a row for regression")
    values = values.astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"{(~np.isfinite(values)).sum()} of {rows} targets are NaN or infinite: leave out those rows")
    if np.ptp(values) == 0:
        raise ValueError(f"all {rows} targets are {values[0]:g}: expected values that differ, to be explained")
    return values


def truth_of(targets: npt.ArrayLike, rows: int, kind: Kind) -> Array:
    """(N, T) float64, what a linear model is to answer: an indicator for each class, or the values."""
    if kind.exclusive:
        return class_codes(targets, rows).indicators
    if kind.has_classes:
        raise ValueError(f"kind={str(kind)!r}: expected 'classification' or 'regression'; score one label at a time")
    return values_of(targets, rows)[:, None]


def members_of(groups: npt.ArrayLike, rows: int) -> list[Array]:
    """The rows of each group of several. ValueError where all rows are of one."""
    codes = pd.factorize(_one_a_row(groups, rows, "groups"), use_na_sentinel=False)[0]
    if codes.max() == 0:
        raise ValueError(f"all {rows} rows are of one group: expected two groups at least, to learn from the others")
    order = np.argsort(codes, kind="stable")
    return [some for some in np.split(order, np.cumsum(np.bincount(codes))[:-1]) if len(some) > 1]


def _one_a_row(targets: npt.ArrayLike, rows: int, what: str = "targets") -> Array:
    array = np.asarray(targets)
    if array.ndim != 1:
        raise ValueError(f"{what} have shape {array.shape}: expected ({rows},), one a row")
    if len(array) != rows:
        raise ValueError(f"there are {len(array)} {what} for {rows} rows: expected one a row")
    return array
