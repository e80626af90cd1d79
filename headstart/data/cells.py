"""Types for the columns of a file that holds only strings (CSV, TSV).

A column is of numbers, or of true and false, where every cell that is not missing reads so; else it stays strings,
without the spaces around them. An empty cell is missing. So are NA, N/A, #N/A, NaN and NULL (in upper or lower case),
but only among numbers, among true and false, and among strings that repeat: a text or a name may well read "Null".
Digits with a leading zero, or more than 18 of them, are codes, not numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

__all__ = ["typed"]

MISSING = frozenset({"NA", "N/A", "#N/A", "NAN", "NULL"})
CODE = r"[+-]?(0[0-9]+|[0-9]{19,})"
INTEGER = r"[+-]?[0-9]+"
NUMBER = r"[+-]?(([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?|[iI][nN][fF]([iI][nN][iI][tT][yY])?)"
COMMA_NUMBER = r"[+-]?(0|[1-9][0-9]*)(,[0-9]+)?"


def typed(raw: pd.Series[Any], *, decimal_comma: bool = False) -> tuple[pd.Series[Any], str]:
    """A column of strings -> the column with its type, and what to say about it ("" for nothing).

    Numbers become int64 or float64 (NaN where missing), true and false bool; strings are objects with NaN for missing.
    With `decimal_comma`, "3,5" is a number.
    """
    cells = raw.str.strip()
    worded = cells.str.upper().isin(MISSING)
    known = cells[~(worded | (cells == ""))]
    found = _values(known)
    note = ""
    if found is None and decimal_comma and known.str.fullmatch(COMMA_NUMBER).all():
        found = known.str.replace(",", ".").astype(np.float64)
        note = f"{raw.name!r}: the comma in its numbers is a decimal point"
    if found is None:
        repeats = 2 * known.nunique() <= len(known)
        missing = (cells == "") | (worded & repeats)
        return cells.mask(missing, np.nan), _say(cells[worded]) if repeats and worded.any() else ""
    if len(found) < len(raw):
        found = (found.astype(object) if found.dtype == bool else found).reindex(raw.index)
    return found, note


def _values(known: pd.Series[Any]) -> pd.Series[Any] | None:
    """Numbers, or true and false; None where the cells are neither."""
    if known.str.fullmatch(CODE).any():
        return None
    if known.str.fullmatch(INTEGER).all():
        return known.astype(np.int64 if len(known) else np.float64)
    if known.str.fullmatch(NUMBER).all():
        return known.astype(np.float64)
    words = known.str.lower()
    return words == "true" if words.isin(["true", "false"]).all() else None


def _say(worded: pd.Series[Any]) -> str:
    return f"{len(worded)} cells of {worded.name!r} read as missing ({', '.join(sorted(set(worded)))})"
