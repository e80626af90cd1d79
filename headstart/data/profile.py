"""What one column of a table looks like: an identifier, a text, words, or something no table model can read."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["are_words", "is_identifier", "is_text", "mean_words", "obstacle", "readable"]

TEXT_WORDS = 4
MANY_ROWS = 20
IDENTIFIER = re.compile(r"(?i:(.*[ _.-])?(id|idx|uuid|guid|index|row ?id|key))|.*[a-z](Id|ID)|(?i:unnamed: \d+)")


def are_words(column: pd.Series[Any]) -> bool:
    """Whether every value that is there is a string, and at least one is."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return are_words(pd.Series(column.cat.categories))
    if pd.api.types.is_numeric_dtype(column.dtype) or not len(column):
        return False
    return pd.api.types.infer_dtype(column, skipna=True) == "string"


def mean_words(column: pd.Series[Any]) -> float:
    """The mean number of words in the strings of a column."""
    return float(np.mean([len(value.split()) for value in column.dropna().tolist()] or [0]))


def is_text(column: pd.Series[Any]) -> bool:
    """Strings in at least half of the rows, at least half of them different, of 4 words or more on average."""
    filled = int(column.count())
    different = are_words(column) and 2 * filled >= len(column) and 2 * column.nunique() >= filled
    return different and mean_words(column) >= TEXT_WORDS


def is_identifier(column: pd.Series[Any]) -> bool:
    """Values that only tell rows apart: all different, and

    - the column is called id, index, key, uuid, or ends so (user_id, PassengerId); or, in 20 rows or more,
    - whole numbers that count the rows from 0 or 1, or
    - strings.
    """
    whole, words = pd.api.types.is_integer_dtype(column.dtype), are_words(column)
    if not (whole or words) or column.nunique() < len(column):
        return False
    if IDENTIFIER.fullmatch(str(column.name).strip()):
        return True
    if len(column) < MANY_ROWS:
        return False
    return words or (column.iloc[0] in (0, 1) and bool((column.diff().iloc[1:] == 1).all()))


def obstacle(column: pd.Series[Any]) -> str:
    """Why a column cannot be one of a table's inputs, or nothing."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype) or pd.api.types.is_timedelta64_dtype(column.dtype):
        return "dates: derive numbers from them first"
    if pd.api.types.is_numeric_dtype(column.dtype) or isinstance(column.dtype, pd.CategoricalDtype):
        return "complex numbers" if pd.api.types.is_complex_dtype(column.dtype) else ""
    found = pd.api.types.infer_dtype(column, skipna=True)
    if found in ("datetime", "datetime64", "date", "timedelta", "timedelta64", "time", "period", "interval"):
        return "dates: derive numbers from them first"
    strange = next((v for v in column if not pd.api.types.is_scalar(v) or isinstance(v, bytes)), None)
    return "" if strange is None else f"each value a {type(strange).__name__}"


def readable(column: pd.Series[Any]) -> pd.Series[Any]:
    """A table's input as a plain column: int64, float64, bool, or strings; NaN for missing."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    missing = column.isna()
    found = pd.api.types.infer_dtype(column, skipna=True)
    if missing.all():
        return pd.Series(np.nan, index=column.index, name=column.name)
    if found == "boolean":
        return column.astype(np.float64) if missing.any() else column.astype(bool)
    if found in ("integer", "floating", "mixed-integer-float", "decimal"):
        return _numbers(column, whole=found == "integer" and not missing.any())
    return column.astype(object).map(str).astype(object).mask(missing, np.nan)


def _numbers(column: pd.Series[Any], *, whole: bool) -> pd.Series[Any]:
    try:
        return column.astype(np.int64 if whole else np.float64)
    except OverflowError:
        return column.map(_float).astype(np.float64)


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf
