"""Columns of a table or an array as trees take them: float64, NaN where nothing is known, categories as codes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from headstart.data.task import Array, Inputs

__all__ = ["Columns"]

_CATEGORIES = 254


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
        """(D,) which columns hold categories."""
        return np.array([categories is not None for categories in self.categories])

    @property
    def most_categories(self) -> int:
        """The number of categories of the column that has most of them."""
        return max((len(categories) for categories in self.categories if categories is not None), default=0)

    def encode(self, inputs: Inputs) -> Array:
        """(N, D) float64. Infinite numbers, and categories that are rare or new, become NaN."""
        frame = pd.DataFrame(inputs)
        columns = [
            _numbers(column) if categories is None else _codes(column, categories)
            for (_, column), categories in zip(frame.items(), self.categories, strict=True)
        ]
        return np.stack(columns, axis=1)


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
