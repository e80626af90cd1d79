"""The cells of a table's column, whatever their type, as numbers, as texts or as moments in time.

A file read again may give a column another type (1, 1.0 and "1"; true and "true"): these readings agree.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from headstart.errors import DataError

__all__ = ["Kind", "kind_of", "moments", "numbers", "texts"]

Kind = Literal["number", "category", "moment"]
Floats = npt.NDArray[np.float64]

_DURATIONS = {"timedelta", "timedelta64"}
_NUMBERS = {"integer", "floating", "mixed-integer-float", "decimal", *_DURATIONS}
_MOMENTS = {"datetime", "datetime64", "date"}


def kind_of(cells: pd.Series[Any]) -> Kind:
    """Numbers and durations are numbers, dates and times are moments; truth values and all else are categories."""
    if isinstance(cells.dtype, pd.CategoricalDtype):
        return "category"
    inferred_type = pd.api.types.infer_dtype(cells, skipna=True)
    if inferred_type == "complex":
        raise DataError(f"column {cells.name!r} holds complex numbers; give their real and imaginary parts instead.")
    if inferred_type in _NUMBERS or (inferred_type == "empty" and cells.dtype.kind in "iuf"):
        return "number"
    return "moment" if inferred_type in _MOMENTS else "category"


def numbers(cells: pd.Series[Any]) -> Floats:
    """(N,) float64, seconds for durations; NaN for what is missing, infinite or not a number."""
    inferred_type = pd.api.types.infer_dtype(cells, skipna=True)
    values = np.full(len(cells), np.nan)
    if pd.api.types.is_numeric_dtype(cells.dtype) and cells.dtype.kind != "c":
        values = cells.to_numpy(dtype=np.float64, na_value=np.nan)
    elif inferred_type in _DURATIONS:
        values = pd.to_timedelta(cells, errors="coerce").dt.total_seconds().to_numpy(dtype=np.float64)
    elif inferred_type not in _MOMENTS:
        values = pd.to_numeric(cells.astype(object), errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def texts(cells: pd.Series[Any]) -> npt.NDArray[np.object_]:
    """(N,) strings; None for what is missing."""
    read = np.full(len(cells), None, dtype=object)
    present = cells.notna().to_numpy(dtype=bool)
    read[present] = [_text(value) for value in cells[present]]
    return read


def moments(cells: pd.Series[Any]) -> Floats:
    """(N,) seconds since 1970 in UTC; NaN for what is missing or neither a date nor an ISO 8601 text."""
    if pd.api.types.is_numeric_dtype(cells.dtype):
        return np.full(len(cells), np.nan)
    readable = [value if isinstance(value, str | date | np.datetime64) else None for value in cells]
    times = pd.to_datetime(pd.Series(readable, dtype=object), errors="coerce", utc=True, format="ISO8601")
    seconds = times.dt.tz_localize(None).to_numpy(dtype="datetime64[ms]")
    return np.where(np.isnat(seconds), np.nan, seconds.astype(np.int64) / 1000.0)


def _text(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)
