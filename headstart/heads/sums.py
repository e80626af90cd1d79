"""Sums over rows: all that ridge regression, discriminant analysis and prototypes need to know of them.

    n,  w = sum w_i,  m = sum w_i x_i,  G = sum w_i x_i x_i',  a = sum w_i t_i,  C = sum w_i x_i t_i',
    q = sum w_i t_i^2

over features x_i (D) and answers t_i: 1 of the row's class and 0 of the others, 0 or 1 for each label, or the value.
The sums of two sets of rows add up to those of both, so that rows may lie on many machines, or with many owners, and
be read once. Everything is float64; a set takes D^2 numbers, whatever its rows. Heads are fitted in `from_sums.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from headstart.heads.standardize import BLOCK, refuse_bad
from headstart.linalg.moments import blocks
from headstart.tasks.kind import kind_named
from headstart.tasks.task import Array, Kind

__all__ = ["Sums", "fold_sums", "merged"]


@dataclass(frozen=True, kw_only=True)
class Sums:
    """Of some rows with D features and C answers each; float64.

    rows      n
    weight    w, n where all rows count alike
    total     m (D,)
    gram      G (D, D)
    answers   a (C,): of classes the weight of the rows of each
    cross     C (D, C)
    squares   q (C,)
    rounding  the relative rounding of the features as they were given: below it a deviation counts as none
    """

    rows: int
    weight: float
    total: Array
    gram: Array
    answers: Array
    cross: Array
    squares: Array
    rounding: float

    @classmethod
    def of(
        cls, features: Array, targets: Array, *, kind: Kind | str, classes: int = 1, weights: Array | None = None
    ) -> Sums:
        """Of features (N, D) and targets as in `Task`; classes: how many; weights (N,) from 0 up, None: 1 each.

        Raises ValueError for rows that do not fit together, and for a feature that is NaN, infinite or too large.
        """
        features, targets, kind = np.asarray(features), np.asarray(targets), kind_named(str(kind))
        rows = features.shape[0] if features.ndim == 2 else -1
        w = np.ones(max(rows, 0)) if weights is None else np.asarray(weights, dtype=np.float64)
        if rows < 0 or len(targets) != rows or w.shape != (rows,):
            raise ValueError(
                "features must be (N, D), with as many targets and weights: "
                f"got shapes {features.shape}, {targets.shape} and {w.shape}"
            )
        empty = cls.none(features.shape[1], kind.outputs(classes), rounding=_rounding(features))
        if not rows:
            return empty
        refuse_bad(features if features.dtype.kind == "f" else features.astype(np.float64))
        return _added(empty, features, kind.truth(targets, classes), w)

    @classmethod
    def none(cls, width: int, columns: int, *, rounding: float = float(np.finfo(np.float32).eps)) -> Sums:
        """Of no rows with so many features and answers."""
        return cls(
            rows=0,
            weight=0.0,
            total=np.zeros(width),
            gram=np.zeros((width, width)),
            answers=np.zeros(columns),
            cross=np.zeros((width, columns)),
            squares=np.zeros(columns),
            rounding=rounding,
        )

    @property
    def width(self) -> int:
        """D."""
        return len(self.total)

    @property
    def columns(self) -> int:
        """C."""
        return len(self.answers)

    def __add__(self, other: Sums) -> Sums:
        """Those of both sets of rows. Raises ValueError where they have other features or answers."""
        if (self.width, self.columns) != (other.width, other.columns):
            raise ValueError(
                f"sums over {self.width} features and {self.columns} answers do not add to sums over {other.width} "
                f"and {other.columns}: give all rows the same backbone and the same classes"
            )
        return self._with(other, 1)

    def __sub__(self, other: Sums) -> Sums:
        """Those of the rows that are not in `other`, which are rows of this set."""
        return self._with(other, -1)

    def vector(self) -> Array:
        """All of it as one float64 vector (K,), of the Gram matrix the upper triangle; `from_vector` is the inverse."""
        head = np.array([self.rows, self.weight])
        upper = self.gram[np.triu_indices(self.width)]
        return np.concatenate([head, self.total, self.answers, self.squares, self.cross.ravel(), upper])

    @classmethod
    def from_vector(cls, vector: Array, width: int, columns: int, *, rounding: float) -> Sums:
        """The inverse of `vector`. Raises ValueError for another length, and for a number that is not finite."""
        sizes = [2, width, columns, columns, width * columns, width * (width + 1) // 2]
        if vector.shape != (sum(sizes),):
            raise ValueError(f"{vector.shape} numbers are no sums over {width} features and {columns} answers")
        if not np.isfinite(vector).all():
            raise ValueError(f"{int((~np.isfinite(vector)).sum())} of {len(vector)} numbers are NaN or infinite")
        head, total, answers, squares, cross, upper = np.split(vector.astype(np.float64), np.cumsum(sizes)[:-1])
        gram = np.zeros((width, width))
        gram[np.triu_indices(width)] = upper
        gram += np.triu(gram, 1).T
        return cls(
            rows=round(float(head[0])),
            weight=float(head[1]),
            total=total,
            gram=gram,
            answers=answers,
            cross=cross.reshape(width, columns),
            squares=squares,
            rounding=rounding,
        )

    def _with(self, other: Sums, sign: int) -> Sums:
        return Sums(
            rows=self.rows + sign * other.rows,
            weight=self.weight + sign * other.weight,
            total=self.total + sign * other.total,
            gram=self.gram + sign * other.gram,
            answers=self.answers + sign * other.answers,
            cross=self.cross + sign * other.cross,
            squares=self.squares + sign * other.squares,
            rounding=max(self.rounding, other.rounding),
        )


def merged(parts: Iterable[Sums]) -> Sums:
    """The sum of one set or more. Raises ValueError where there is none, or where they do not go together."""
    sums: Sums | None = None
    for part in parts:
        sums = part if sums is None else sums + part
    if sums is None:
        raise ValueError("there are no sums to merge: give those of one set of rows or more")
    return sums


def fold_sums(
    features: Array,
    targets: Array,
    folds: Array,
    *,
    kind: Kind | str,
    classes: int = 1,
    count: int | None = None,
    weights: Array | None = None,
) -> list[Sums]:
    """Those of each fold: folds (N,) int from 0 up, of which there are `count` (None: as many as occur)."""
    size = int(np.max(folds, initial=-1)) + 1 if count is None else count
    numbers = [np.flatnonzero(folds == fold) for fold in range(size)]
    return [
        Sums.of(
            features[rows],
            targets[rows],
            kind=kind,
            classes=classes,
            weights=None if weights is None else weights[rows],
        )
        for rows in numbers
    ]


def _added(empty: Sums, features: Array, truth: Array, weights: Array) -> Sums:
    total, gram = empty.total.copy(), empty.gram.copy()
    cross = empty.cross.copy()
    for part in blocks(len(features), BLOCK):
        x = features[part].astype(np.float64)
        weighted = x * weights[part, None]
        total += weighted.sum(axis=0)
        gram += x.T @ weighted
        cross += weighted.T @ truth[part]
    return Sums(
        rows=len(features),
        weight=float(weights.sum()),
        total=total,
        gram=(gram + gram.T) / 2,
        answers=weights @ truth,
        cross=cross,
        squares=weights @ np.square(truth),
        rounding=empty.rounding,
    )


def _rounding(features: Array) -> float:
    return float(np.finfo(features.dtype if features.dtype.kind == "f" else np.float64).eps)
