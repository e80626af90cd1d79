"""How often each class is answered, to rows that a model did not learn from: whether it still is so.

Two rows of counts of classes are compared by Pearson's chi^2 for homogeneity, where classes that are expected in fewer
than `EXPECTED` rows of a window are taken together (Cochran, 1954); of several labels each by itself, and the least
probability times their number (Bonferroni).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from headstart.tasks.kind import Array, Kind

__all__ = ["EXPECTED", "Decided", "Shift"]

EXPECTED = 5
_FIELDS = ("counts", "rows")


class Shift(NamedTuple):
    """distance   of the shares: half the sum of what they differ by; of several labels the most that one differs by
    p          the probability of shares as far apart, of rows that are like those of the training
    """

    distance: float
    p: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Decided:
    """counts   (C,) int64, how many rows each class was answered to
    rows     (1,) int64, how many there are
    """

    counts: Array
    rows: Array

    @classmethod
    def of(cls, kind: Kind, decisions: Array, classes: int) -> Decided | None:
        """Of decisions as targets are; None of values, and of no row."""
        if not kind.has_classes or not len(decisions):
            return None
        return cls(counts=counted(kind, decisions, classes), rows=np.array([len(decisions)]))

    def shift(self, counts: Array, rows: int, *, exclusive: bool) -> Shift:
        """To the counts (C,) of other rows. Raises ValueError for other classes."""
        if counts.shape != self.counts.shape or not rows:
            raise ValueError(f"counts of {len(counts)} classes in {rows} rows: expected {len(self.counts)} classes")
        before = int(self.rows[0])
        differences = np.abs(counts / rows - self.counts / before)
        if exclusive:
            return Shift(float(differences.sum() / 2), _homogeneity(np.stack([self.counts, counts])))
        tables = (
            np.array([[known, before - known], [new, rows - new]])
            for known, new in zip(self.counts, counts, strict=True)
        )
        return Shift(float(differences.max()), min(1.0, len(counts) * min(map(_homogeneity, tables))))

    def arrays(self) -> dict[str, Array]:
        """As named arrays, for a file."""
        return {name: getattr(self, name) for name in _FIELDS}

    @classmethod
    def from_arrays(cls, classes: int, arrays: dict[str, Array]) -> Decided:
        """What `arrays` gave. Raises ValueError where they are nothing of the kind."""
        if sorted(arrays) != sorted(_FIELDS):
            raise ValueError(f"answers are {', '.join(_FIELDS)}; these are {', '.join(sorted(arrays))}")
        made = cls(**arrays)
        whole = all(array.dtype == np.int64 for array in arrays.values())
        if not whole or made.counts.shape != (classes,) or made.rows.shape != (1,) or made.rows[0] < 1:
            raise ValueError(f"answers are no whole numbers of {classes} classes")
        if made.counts.min() < 0 or made.counts.max() > made.rows[0]:
            raise ValueError(f"answers are below 0 or above the {made.rows[0]} rows that there are")
        return made


def counted(kind: Kind, decisions: Array, classes: int) -> Array:
    """(C,) int64, to how many rows each class was answered: decisions are codes (N,), or (N, C) of several labels."""
    decisions = np.asarray(decisions).astype(np.int64)
    return np.asarray(decisions.sum(axis=0) if kind.several else np.bincount(decisions, minlength=classes), np.int64)


def _homogeneity(table: Array) -> float:
    """p of Pearson's chi^2 of counts (2, K); 1 where there is nothing to compare."""
    from scipy.stats import chi2

    total = table.sum()
    expected = table.sum(axis=0) * table.sum(axis=1).min() / total
    rare = expected < EXPECTED
    if rare.sum() > 1:
        table = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2 or not table.sum(axis=1).all():
        return 1.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / total
    return float(chi2.sf((np.square(table - expected) / expected).sum(), table.shape[1] - 1))
