"""A cleaned copy of data: label errors corrected, duplicates and leaks left out. The data stay as they are."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pandas as pd

from headstart.data.containers import contained
from headstart.data.tables import Table, is_table_name, read_table
from headstart.errors import DataError
from headstart.study.cleaning.suggestions import Problem, Suggestions
from headstart.study.destination import Destination
from headstart.tasks.task import Task

__all__ = ["SURE", "write_cleaned"]

SURE = 0.9
"""The probability of a suggested label from which on it takes the place of the one that was given: of labels that were
changed at random, some three in four of such suggestions are right (`bench/clean.py`)."""

_FILE, _LABEL = "file", "label"
_LEFT_OUT: tuple[Problem, ...] = ("duplicate", "leak")


def write_cleaned(data: Any, task: Task, suggested: Suggestions, file: Destination) -> None:
    """Write the rows of a table with all their columns; of a folder the file (of texts the text), label and split.

    Labels that are suggested with a probability of `SURE` or more are corrected; where rows have several labels, or
    values, none is. Paths are written as seen from the folder of the new file. Raises DataError for objects in memory
    that are no table.
    """
    sure = [item for item in suggested.of("label error") if task.kind.exclusive and (item.score or 0.0) >= SURE]
    labels = {item.row: item.suggestion for item in sure}
    gone = [item.row for problem in _LEFT_OUT for item in suggested.of(problem)]
    table = _table(data)
    frame = _of_folder(task) if table is None else _of_table(table)
    frame = frame[~frame.index.isin(gone)].copy()
    target = _LABEL if table is None else str(task.columns and task.columns.target)
    if labels and target in frame.columns:
        places = zip(frame.index.tolist(), frame[target].tolist(), strict=True)
        frame[target] = pd.Series([labels.get(place, old) for place, old in places], frame.index, dtype=object)
    folder = "" if table is None else table.folder
    for name in _columns_of_paths(task, frame):
        frame[name] = [_seen_from(os.path.dirname(file.path), folder, value) for value in frame[name]]
    file.write(_Frame(frame))


class _Frame:
    """A data frame as a content of files."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame.astype(object).where(frame.notna(), None)

    def columns(self) -> dict[str, list[Any]]:
        return {str(name): column.tolist() for name, column in self.frame.items()}

    def rows(self) -> list[dict[str, Any]]:
        columns = self.columns()
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]

    def to_json(self) -> dict[str, Any]:
        return {"rows": self.rows()}


def _table(data: Any) -> Table | None:
    """The table that was read; None for a folder."""
    if isinstance(data, str | os.PathLike):
        path = os.fsdecode(data)
        return read_table(path) if is_table_name(path) and not os.path.isdir(path) else None
    values = None if isinstance(data, Task) else contained(data)
    if not isinstance(values, Table):
        raise DataError(f"a cleaned copy is of a folder, a file or a table, and this is a {type(data).__name__}")
    return values


def _of_table(table: Table) -> pd.DataFrame:
    """As it was found, numbered by place."""
    places = range(len(table.raw)) if table.places is None else table.places
    return table.raw.set_axis(list(places), axis=0)


def _of_folder(task: Task) -> pd.DataFrame:
    """A row for each that could be read."""
    words = task.modality.texts(task.inputs)
    inputs: list[str | None] = [*words] or [
        os.fspath(item) if isinstance(item, str | os.PathLike) else None for item in task.inputs
    ]
    if None in inputs:
        raise DataError(f"a cleaned copy names files, and these {task.modality.noun} have none: write them to files")
    targets = [] if task.targets is None else [task.kind.in_words(target, task.classes) for target in task.targets]
    columns: dict[str, Any] = {"text" if words else _FILE: inputs, _LABEL: targets}
    if task.split is not None:
        columns["split"] = np.asarray(task.split).tolist()
    return pd.DataFrame(columns, index=task.positions.tolist(), dtype=object)


def _columns_of_paths(task: Task, frame: pd.DataFrame) -> list[str]:
    """Those that name files, of pictures and recordings."""
    if not task.modality.has_thumbs:
        return []
    inputs = (_FILE,) if task.columns is None or not task.columns.input else task.columns.input
    return [name for name in inputs if name in frame.columns]


def _seen_from(start: str, folder: str, value: Any) -> Any:
    """A path as seen from where the new file lies; what names no file stays as it is."""
    path = os.path.join(folder, value) if isinstance(value, str) else ""
    return os.path.relpath(path, start) if path and os.path.exists(path) else value
