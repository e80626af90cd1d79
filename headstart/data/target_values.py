"""Targets, group and domain labels and weights as people hand them over: a value for each row, by position."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np

from headstart.data.containers import contained
from headstart.data.tables import Table
from headstart.data.targets import plain
from headstart.errors import DataError
from headstart.tasks.task import Array

__all__ = ["column_of", "rows_of", "target_values", "truth_of"]


def target_values(targets: Any) -> tuple[list[Any], tuple[str, ...]]:
    """N targets as plain values, and the names of the columns where they are a table of several.

    A matrix or a table of 0 and 1 with several columns becomes a list of 0 and 1 for each row; one column is that
    column. Raises DataError for one value, for what has no order, and for matrices of other numbers.
    """
    values = rows_of(targets, "targets")
    if isinstance(values, Table):
        names = tuple(map(str, values.raw.columns))
        if len(names) == 1:
            return plain(values.raw[names[0]]), ()
        matrix = values.raw.to_numpy()
        if not _is_binary(matrix):
            raise DataError(
                f"targets of {len(names)} columns, {', '.join(names)[:60]}: expected one column, or columns of 0 and 1 "
                "for multilabel"
            )
        return plain(matrix.astype(np.int64)), names
    if isinstance(values, list):
        return plain(values), ()
    if values.ndim == 2 and values.shape[1] == 1:
        return plain(values[:, 0]), ()
    if values.ndim != 2 or not _is_binary(values):
        raise DataError(f"targets of shape {values.shape}: expected (N,), or (N, C) of 0 and 1 for multilabel")
    return plain(values.astype(np.int64)), ()


def column_of(values: Any, what: str) -> list[Any]:
    """One plain value for each row. Raises DataError, which names `what` the values are, for anything else."""
    column = rows_of(values, what)
    if isinstance(column, Table) and column.raw.shape[1] == 1:
        column = column.raw.iloc[:, 0].tolist()
    elif isinstance(column, np.ndarray) and column.ndim == 2 and column.shape[1] == 1:
        column = column[:, 0]
    if isinstance(column, Table) or (isinstance(column, np.ndarray) and column.ndim > 1):
        shape = column.raw.shape if isinstance(column, Table) else column.shape
        raise DataError(f"{what} of shape {shape}: expected one for each input, (N,)")
    return plain(column)


def rows_of(values: Any, what: str) -> list[Any] | Array | Table:
    """As `contained`. Raises DataError, which names `what` the values are, for one value or what has no order."""
    single = isinstance(values, str | bytes | dict | AbstractSet | int | float | bool | None)
    if single or getattr(values, "ndim", 1) == 0:
        raise DataError(f"{what} are one {type(values).__name__}, {values!r:.60}: expected a list, one for each input")
    return contained(values)


def truth_of(y: Any) -> Any:
    """Targets as scikit-learn's metrics take them: (N,), or (N, C) of 0 and 1 as it was given."""
    targets = rows_of(y, "targets")
    if isinstance(targets, np.ndarray):
        return targets
    if isinstance(targets, Table) and targets.frame.shape[1] > 1:
        return targets.frame.to_numpy()
    return target_values(targets)[0]


def _is_binary(matrix: Any) -> bool:
    """Whether every cell is 0 or 1, or true or false."""
    try:
        return bool(np.isin(matrix.astype(np.float64), (0, 1)).all())
    except (TypeError, ValueError):
        return False
