"""Columns as their containers store them: what is typed already, and everything else as strings."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from headstart.tasks.task import ColumnType

__all__ = ["MOMENTS", "stored", "strings"]

MOMENTS: Any = np.dtype("datetime64[us]")
NUMBERS = frozenset({"integer", "floating", "mixed-integer-float", "decimal"})


def stored(raw: pd.Series[Any]) -> tuple[ColumnType | None, pd.Series[Any]]:
    """The type that a container knows and the column of that type; None for strings and mixed objects.

    Categories and periods are what they stand for. A column without a value has no type that is known.
    """
    column = raw
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if isinstance(column.dtype, pd.PeriodDtype):
        column = column.dt.to_timestamp()
    kind = _kind(column)
    if column.isna().all():
        return None, pd.Series(None, index=raw.index, name=raw.name, dtype=object)
    convert = {"number": _numbers, "truth": _truth, "date": _moments, "duration": _seconds}.get(kind or "")
    return (kind, column) if convert is None else (kind, convert(column))


def strings(column: pd.Series[Any]) -> list[str] | None:
    """Each cell as a file of strings would have it, "" where it is missing; None where one has no such form."""
    values = column.tolist()
    kinds = set(map(type, values))
    if kinds <= {str}:
        return values
    writers = {kind: _writer(kind) for kind in kinds}
    if None in writers.values():
        return None
    missing = column.isna().tolist()
    pairs = zip(values, missing, strict=True)
    return ["" if gone else writers[type(value)](value) for value, gone in pairs]  # type: ignore[misc]


def _kind(column: pd.Series[Any]) -> ColumnType | None:
    is_a = pd.api.types
    if is_a.is_bool_dtype(column.dtype):
        return "truth"
    if is_a.is_numeric_dtype(column.dtype):
        return None if is_a.is_complex_dtype(column.dtype) else "number"
    if is_a.is_datetime64_any_dtype(column.dtype):
        return "date"
    if is_a.is_timedelta64_dtype(column.dtype):
        return "duration"
    inferred_type = is_a.infer_dtype(column, skipna=True)
    return "number" if inferred_type in NUMBERS else ("truth" if inferred_type == "boolean" else None)


def _numbers(column: pd.Series[Any]) -> pd.Series[Any]:
    """int64, or float64 where one is missing or has a fraction; beyond its range infinite."""
    whole = pd.api.types.infer_dtype(column, skipna=True) == "integer" and not column.isna().any()
    try:
        return column.astype(np.int64 if whole else np.float64)
    except (OverflowError, TypeError, ValueError):
        return column.astype(object).map(_float).astype(np.float64)


def _float(value: Any) -> float:
    try:
        return np.nan if pd.isna(value) else float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf


def _truth(column: pd.Series[Any]) -> pd.Series[Any]:
    missing = column.isna()
    if not missing.any():
        return column.astype(bool)
    return column.astype(object).map(bool, na_action="ignore").astype(object).mask(missing, np.nan)


def _moments(column: pd.Series[Any]) -> pd.Series[Any]:
    column = pd.Series(pd.DatetimeIndex(column), index=column.index, name=column.name)
    if column.dt.tz is not None:
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    moments: pd.Series[Any] = column.astype(MOMENTS)
    return moments


def _seconds(column: pd.Series[Any]) -> pd.Series[Any]:
    return pd.Series(pd.TimedeltaIndex(column).total_seconds(), index=column.index, name=column.name, dtype=np.float64)


def _writer(kind: type) -> Callable[[Any], str] | None:
    """How cells of this type are written; None for pictures, lists, bytes and other things."""
    if issubclass(kind, str):
        return str
    if issubclass(kind, bool | np.bool_):
        return lambda value: str(bool(value)).lower()
    if issubclass(kind, int | float | np.integer | np.floating | Decimal | type(None) | type(pd.NA) | type(pd.NaT)):
        return str
    if issubclass(kind, datetime.date | datetime.time):
        return lambda value: str(value.isoformat())
    return str if issubclass(kind, datetime.timedelta | np.timedelta64 | np.datetime64 | pd.Period) else None
