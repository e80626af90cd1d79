"""Which columns differ between source and target, the most first.

mean difference    (mean_t - mean_s) / sqrt((var_s + var_t) / 2)     standardised; in signed standard deviations
distance           numbers: the largest gap between both distribution functions (Kolmogorov and Smirnov)
                   codes: half the sum of |share_t - share_s| over the codes (total variation)
p                  of the test of Kolmogorov and Smirnov, or chi2 of the table of codes; corrected for the number
                   of columns (Holm, 1979)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from headstart.tasks.task import Array

__all__ = ["ColumnShift", "column_shifts"]


class ColumnShift(NamedTuple):
    """One column: its mean difference (0 for codes), its distance in [0, 1], and the corrected p-value of none."""

    name: str
    mean_difference: float
    distance: float
    p: float
    codes: bool = False


def column_shifts(
    source: Array, target: Array, *, names: Sequence[str] | None = None, codes: Array | None = None
) -> tuple[ColumnShift, ...]:
    """Every column of source (n, d) and target (m, d), by distance. codes (d,): which hold codes of categories.

    Raises ValueError where names or codes are not one a column.
    """
    width = source.shape[1]
    names = [f"column {number}" for number in range(width)] if names is None else [str(name) for name in names]
    codes = np.zeros(width, dtype=bool) if codes is None else np.asarray(codes, dtype=bool)
    for option, values in (("names", names), ("codes", codes)):
        if len(values) != width:
            raise ValueError(f"{option} holds {len(values)} for {width} columns: expected one a column")
    shifts = [
        _codes(name, source[:, i], target[:, i]) if codes[i] else _numbers(name, source[:, i], target[:, i])
        for i, name in enumerate(names)
    ]
    corrected = holm(np.array([shift.p for shift in shifts]))
    shifts = [shift._replace(p=float(p)) for shift, p in zip(shifts, corrected, strict=True)]
    return tuple(sorted(shifts, key=lambda shift: (-shift.distance, shift.p)))


def holm(p: Array) -> Array:
    """p-values (k,) corrected for their number (Holm, 1979)."""
    order = np.argsort(p, kind="stable")
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return corrected


def _numbers(name: str, x: Array, y: Array) -> ColumnShift:
    if x.min() == x.max() == y.min() == y.max():
        return ColumnShift(name, 0.0, 0.0, 1.0)
    spread, gap = np.sqrt((x.var() + y.var()) / 2), y.mean() - x.mean()
    difference = float(gap / spread) if spread > 1e-12 * abs(gap) else float(np.copysign(np.inf, gap))
    test = stats.ks_2samp(x, y, method="asymp")
    return ColumnShift(name, difference, float(test.statistic), float(test.pvalue))


def _codes(name: str, x: Array, y: Array) -> ColumnShift:
    kinds, place = np.unique(np.concatenate([x, y]), return_inverse=True)
    counts = np.stack([np.bincount(part, minlength=len(kinds)) for part in np.split(place, [len(x)])])
    distance = float(np.abs(counts[0] / len(x) - counts[1] / len(y)).sum() / 2)
    p = float(stats.chi2_contingency(counts, correction=False).pvalue) if len(kinds) > 1 else 1.0
    return ColumnShift(name, 0.0, distance, p, codes=True)
