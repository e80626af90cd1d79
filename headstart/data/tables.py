"""Table files: CSV, TSV, JSON lines and Parquet, also compressed with gzip or bzip2, as one `Table`."""

from __future__ import annotations

import bz2
import gzip
import os
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from headstart.data import delimited, jsonl
from headstart.data.cells import Typed, typed
from headstart.errors import DataError
from headstart.messages import few, shown
from headstart.tasks.task import ColumnType, SetAside

__all__ = ["SUFFIXES", "Table", "is_table_name", "of_frame", "read_table"]

SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
SAMPLE = 1000
OPENERS: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.decompress, ".bz2": bz2.decompress}


@dataclass(kw_only=True)
class Table:
    """Rows and columns as they were found.

    raw      the columns as their container has them, with distinct names of str: of str where the file has only strings
    types    of columns in an earlier reading, which hold in this one
    empty_is_missing   whether the container writes what is missing as an empty string (CSV does)
    decimal_comma   whether the file is of a kind that often has decimal commas
    names    what to call each row: "line 17" counts lines of the file from 1, "row 17" rows from 0
    places   position of each row among all that the file has, where some were set aside; None: 0, 1, 2, ...
    folder   where relative paths in the table start
    split    "train", "val" or "test" of each row where the container says so, not a column
    """

    raw: pd.DataFrame
    names: list[str]
    places: list[int] | None = None
    types: Mapping[str, ColumnType] = field(default_factory=dict)
    empty_is_missing: bool = False
    decimal_comma: bool = False
    folder: str = ""
    split: list[str] | None = None
    set_aside: list[SetAside] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @cached_property
    def typed(self) -> dict[str, Typed]:
        """Each column with its type."""
        return {
            name: typed(self.raw[name], self.types.get(name), decimal_comma=self.decimal_comma, names=self.names)
            for name in map(str, self.raw.columns)
        }

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The columns, each of its type."""
        return pd.DataFrame({name: column.values for name, column in self.typed.items()}, index=self.raw.index)

    def as_before(self, types: Iterable[tuple[str, ColumnType]]) -> Table:
        """The same table with the types of an earlier reading."""
        by_name = dict(types)
        return replace(self, types=by_name) if by_name else self


def is_table_name(path: str) -> bool:
    """Whether a file name ends as a table's does, compressed or not."""
    return _suffixes(path)[0] in SUFFIXES


def read_table(path: str) -> Table:
    """Read a table file by its suffix. Raises DataError, which names the file, where it cannot be read."""
    suffix, packed = _suffixes(path)
    try:
        if suffix == ".parquet":
            table = _parquet(path)
        else:
            with open(path, "rb") as file:
                data = OPENERS.get(packed, bytes)(file.read())
            table = _json_lines(data) if suffix in (".jsonl", ".ndjson") else _delimited(data, suffix == ".tsv")
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise DataError(f"{shown(path)}: {error}") from error
    table.folder = os.path.dirname(path)
    return table


def of_frame(frame: pd.DataFrame) -> Table:
    """A table in memory. Raises DataError where two columns have one name."""
    names = [str(name) for name in frame.columns]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(f"column names must differ, and {few(twice)} stands more than once")
    frame = frame.set_axis(names, axis=1).reset_index(drop=True)
    return Table(raw=frame, names=[f"row {row}" for row in range(len(frame))])


def _suffixes(path: str) -> tuple[str, str]:
    """The suffix that says what a file holds, and the one that says how it is compressed, if any."""
    stem, last = os.path.splitext(path.lower())
    return (os.path.splitext(stem)[1], last) if last in OPENERS else (last, "")


def _delimited(data: bytes, tabs: bool) -> Table:
    records = delimited.parse(data, tabs=tabs)
    cells = np.empty((len(records.rows), len(records.header)), dtype=object)
    cells[:] = records.rows if records.rows else cells
    raw = pd.DataFrame(cells, columns=np.array(records.header, dtype=object), dtype=object)
    notes = [*records.notes, *_header_doubt(records.header, records.rows)]
    names = [f"line {line}" for line in records.lines]
    return Table(
        raw=raw,
        names=names,
        places=records.places,
        empty_is_missing=True,
        decimal_comma=records.separator == ";",
        set_aside=records.set_aside,
        notes=notes,
    )


def _header_doubt(header: list[str], rows: list[list[str]]) -> list[str]:
    """A note where line 1 looks like a row: a number stands for a name, or a name among the values of its column."""
    first = rows[:SAMPLE]
    strange = [
        name
        for place, name in enumerate(header)
        if name.replace(".", "", 1).isdecimal() or any(row[place].strip() == name for row in first)
    ]
    return [f"line 1 was read as column names, also {few(strange, 3)}; if it is a row, add a header"] if strange else []


def _json_lines(data: bytes) -> Table:
    objects = jsonl.parse(data)
    keys = dict.fromkeys(key for row in objects.rows for key in row)
    columns = {key: _column([row.get(key) for row in objects.rows]) for key in keys}
    table = of_frame(pd.DataFrame(columns, index=range(len(objects.rows))))
    table.names = [f"line {line}" for line in objects.lines]
    table.places, table.set_aside, table.notes = objects.places, objects.set_aside, objects.notes
    return table


def _column(values: list[Any]) -> pd.Series[Any]:
    """Numbers as int64, or float64 with NaN for missing, where they fit; everything else as it is."""
    kinds = {type(value) for value in values}
    if kinds - {int, float, type(None)} or kinds == {type(None)}:
        return pd.Series(values, dtype=object)
    try:
        return pd.Series(values, dtype=np.int64 if kinds == {int} else np.float64)
    except OverflowError:
        return pd.Series(values, dtype=object)


def _parquet(path: str) -> Table:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise ImportError("reading Parquet needs pyarrow: pip install 'headstart[parquet]'") from error
    try:
        return of_frame(parquet.read_table(path, partitioning=None).to_pandas())
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise DataError(f"not a Parquet file that can be read: {error}") from error
