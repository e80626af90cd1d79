"""Columns of a table or an array as trees take them: float64, NaN where nothing is known.

A column of up to 32 categories becomes a column of 0 and 1 for each: scikit-learn's trees pass over the categories of
fewer than 10 rows of a categorical column, which small data is full of. A column of more stays one column of codes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from headstart.tasks.task import Array, Inputs

__all__ = ["Columns"]

_CATEGORIES = 254
_FEW = 32


class Columns(NamedTuple):
    """How to encode each column, learnt from training rows: its categories, or None where it holds numbers."""

    categories: tuple[pd.Index | None, ...]

    @classmethod
    def of(cls, inputs: Inputs) -> Columns:
        """Learn from a DataFrame or an array (N, D). A column of neither numbers nor dates holds categories."""
        frame = pd.DataFrame(inputs)
        return cls(tuple(None if _numeric(column) else _frequent(column) for _, column in frame.items()))

    @property
    def categorical(self) -> Array:
        """(D,) which of the encoded columns hold codes of categories."""
        return np.repeat([_coded(categories) for categories in self.categories], self._widths)

    @property
    def most_codes(self) -> int:
        """The number of categories of the column of codes that has most of them."""
        return max(
            (len(categories) for categories in self.categories if categories is not None and _coded(categories)),
            default=0,
        )

    def encode(self, inputs: Inputs) -> Array:
        """(N, D) float64. Infinite numbers become NaN; so do categories that are rare or new, or 0 in every column."""
        frame = pd.DataFrame(inputs)
        columns = [
            _numbers(column)[:, None] if categories is None else _indicators(_codes(column, categories), categories)
            for (_, column), categories in zip(frame.items(), self.categories, strict=True)
        ]
        return np.concatenate(columns, axis=1)

    @property
    def _widths(self) -> list[int]:
        return [
            1 if categories is None or _coded(categories) else max(1, len(categories)) for categories in self.categories
        ]


def _coded(categories: pd.Index | None) -> bool:
    return categories is not None and len(categories) > _FEW


def _indicators(codes: Array, categories: pd.Index) -> Array:
    """Codes (N,) as they are, (N, 1), or where there are few a column of 0 and 1 for each, (N, K)."""
    if _coded(categories):
        return codes[:, None]
    return np.asarray(codes[:, None] == np.arange(max(1, len(categories))), dtype=np.float64)


def _numeric(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) or column.dtype.kind in "mM"


def _numbers(column: pd.Series) -> Array:
    if column.dtype.kind in "mM":
        column = column.astype("int64").where(column.notna())
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.asarray(np.where(np.isfinite(numbers), numbers, np.nan))


def _frequent(column: pd.Series) -> pd.Index:
    counts = column.astype("string").value_counts()
    return counts.sort_index().nlargest(_CATEGORIES, keep="first").index


def _codes(column: pd.Series, categories: pd.Index) -> Array:
    codes = categories.get_indexer(pd.Index(column.astype("string"))).astype(np.float64)
    return np.asarray(np.where(codes < 0, np.nan, codes))
