"""Columns that count the rows of a file: an index that pandas wrote, in order or shuffled, whole or a part of it.

Such a column is all whole numbers of which none occurs twice though they lie so close that chance would have made many
alike: n numbers drawn from a range of s are expected to have n (n - 1) / (2 s) pairs of equal ones, and at 9 such pairs
or more none at all has a chance below 1 in 8,000. A constant step between the numbers is divided out. So the order of
the rows does not matter, nor do rows that are gone, as long as they are not most.

Measurements can lie as close without a repeat where they were made one at each value. Therefore numbers that could be
years (1800 to 2100) or ages (2 to 130) are not taken for counters, nor is a column called year, age, rank, time, day or
so. Fewer than 20 rows tell nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from headstart.tasks.task import Array

__all__ = ["MANY_ROWS", "count_of_rows", "order_tells", "whole_numbers"]

MANY_ROWS = 20
EXPECTED_PAIRS = 9
YEARS, AGES = (1800, 2100), (2, 130)
MEASURED = re.compile(
    r"(?i:(.*[ _.-])?(years?|yr|age|rank(ing)?|position|time|timestamp|ts|epoch|dates?|days?|weeks?|months?|hours?|"
    r"minutes?|seconds?|depth|distance|temperature)([ _.-].*)?)"
)
_EXACT = 2**53
_TOGETHER = 0.5


def whole_numbers(column: pd.Series[Any]) -> Array | None:
    """(N,) int64 where all cells are whole numbers, whatever their dtype; else None."""
    if pd.api.types.is_bool_dtype(column.dtype) or not pd.api.types.is_numeric_dtype(column.dtype):
        return None
    if pd.api.types.is_integer_dtype(column.dtype):
        return None if column.isna().any() else column.to_numpy(dtype=np.int64)
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    whole = np.isfinite(numbers).all() and (np.abs(numbers) < _EXACT).all() and (numbers == np.round(numbers)).all()
    return numbers.astype(np.int64) if whole else None


def count_of_rows(column: pd.Series[Any]) -> str:
    """How a column counts the rows, in words; "" where it does not."""
    numbers = whole_numbers(column)
    if numbers is None or len(numbers) < MANY_ROWS or MEASURED.fullmatch(str(column.name).strip()):
        return ""
    ascending = np.sort(numbers)
    low, high = int(ascending[0]), int(ascending[-1])
    if any(least <= low and high <= most for least, most in (YEARS, AGES)):
        return ""
    gaps = np.diff(ascending)
    if not gaps.all():
        return ""
    span = (high - low) // int(np.gcd.reduce(gaps)) + 1
    if len(numbers) * (len(numbers) - 1) < 2 * EXPECTED_PAIRS * span:
        return ""
    return f"counts the rows: {len(numbers):,} whole numbers from {low} to {high}, none twice"


def order_tells(numbers: Array, targets: Sequence[Any]) -> str:
    """What the order of a counter (N,) tells of targets (N, plain, some missing), in words; "" for nothing."""
    ordered = pd.Series(targets, dtype=object)[np.argsort(numbers, kind="stable")].dropna()
    if ordered.map(lambda value: isinstance(value, list)).any() or ordered.nunique() < 2:
        return ""
    if ordered.nunique() > MANY_ROWS and ordered.map(lambda value: isinstance(value, int | float)).all():
        ranks = ordered.astype(np.float64).rank().to_numpy()
        alike = abs(float(np.corrcoef(ranks, np.arange(len(ranks)))[0, 1]))
        return f"in its order the target rises or falls (rank correlation {alike:.2f})" if alike >= _TOGETHER else ""
    codes, _ = pd.factorize(ordered.map(str))
    by_chance = float(np.square(np.bincount(codes) / len(codes)).sum())
    together = float((codes[1:] == codes[:-1]).mean())
    apart = together - by_chance < _TOGETHER * (1 - by_chance)
    return "" if apart else "in its order rows of one class stand together, so that it tells the class"
