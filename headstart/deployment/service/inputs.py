"""From what a request holds to a task: the inputs as the readers of `predict` make them, of bytes and strings that are
never taken for the name of a file."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from headstart.artefact.model import Model
from headstart.data.draft import Draft, finish
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.data.sounds import find_sounds
from headstart.data.text import empty_note, find_texts, join_texts
from headstart.errors import DataError
from headstart.messages import few
from headstart.tasks import ARRAY, AUDIO, IMAGE, TABLE, TEXT
from headstart.tasks.task import Columns, Task

__all__ = ["EXPECTED", "TOGETHER", "check_rows", "expected_by", "key_of", "task_of", "unknown_columns"]

_SCALARS = (str, int, float, bool, type(None))

EXPECTED = {
    IMAGE: 'the model reads pictures: send the bytes of a file as the body ("content-type: image/jpeg"), or one or '
    'several files as "multipart/form-data"',
    AUDIO: 'the model reads recordings: send the bytes of a file as the body ("content-type: audio/wav"), or one or '
    'several files as "multipart/form-data"',
    TEXT: 'the model reads texts: send {"texts": ["..."]} as "application/json", or one text as "text/plain"',
    TABLE: 'the model reads rows of a table: send {"rows": [{"COLUMN": value}]} as "application/json"',
    ARRAY: 'the model reads rows of numbers: send {"rows": [[1.5, 2.5]]} as "application/json"',
}
"""By modality, what a request holds."""

TOGETHER = {IMAGE: 16, AUDIO: 16, TEXT: 64, TABLE: 256, ARRAY: 256}
"""By modality, how many inputs of several requests are answered together."""


def expected_by(model: Model) -> str:
    """What a request to a model holds, in words."""
    columns = () if model.columns is None else model.columns.input
    named = f"; its columns are {few(columns)}" if model.modality.has_columns and columns else ""
    return EXPECTED.get(model.modality, f"the model reads {model.modality} inputs, which are not served") + named


def key_of(items: Sequence[Any]) -> Hashable:
    """What rows of several requests have in common that are read together as each by itself: their columns, and of each
    the types of its cells, by which pandas holds it. Equal to nothing else where the rows of one request differ."""
    first = items[0]
    names = tuple(first) if isinstance(first, dict) else len(first)
    if any((tuple(row) if isinstance(row, dict) else len(row)) != names for row in items):
        return object()
    cells = zip(*(row.values() if isinstance(row, dict) else row for row in items), strict=True)
    return type(first), names, tuple(frozenset(map(type, column)) for column in cells)


def task_of(model: Model, items: Sequence[Any]) -> Task:
    """The inputs of a request as a task without targets. Those that cannot be read are set aside by their place.

    items   bytes of files; texts, or tuples of those of several columns; rows: dictionaries, or lists of equal length
    """
    return _TASKS[model.modality](model, list(items))


def _draft(model: Model, inputs: list[Any], broken: dict[int, str], notes: Sequence[str] = ()) -> Task:
    names = [f"input {row}" for row in range(len(inputs))]
    draft = Draft(inputs=inputs, modality=model.modality, names=names, broken=broken, notes=list(notes))
    return finish(draft, None, one_class=True, to_answer=True)


def _pictures(model: Model, items: list[Any]) -> Task:
    return _draft(model, items, {})


def _sounds(model: Model, items: list[Any]) -> Task:
    return _draft(model, *find_sounds(items))


def _texts(model: Model, items: list[Any]) -> Task:
    several = bool(items) and isinstance(items[0], tuple)
    texts, broken = join_texts(list(zip(*items, strict=True))) if several else find_texts(items)
    return _draft(model, texts, broken, empty_note(texts, broken))


def _rows(model: Model, items: list[Any]) -> Task:
    """As `predict` reads a table in memory."""
    roles = Roles(modality=model.modality)
    columns = model.columns or Columns()
    inputs: Any
    if isinstance(items[0], dict):
        inputs = pd.DataFrame.from_records(items)
    elif columns.input:
        inputs = pd.DataFrame(_of_width(items, len(columns.input)), columns=list(columns.input))
    else:
        inputs = _numbers(items)
        if inputs.shape[1:] != (model.head.width,):
            raise DataError(
                f"rows have {inputs[0].size} features, but the model is expecting {model.head.width} features"
            )
    return read(inputs, roles=roles, need_target=False, columns=model.columns, to_answer=True)


def _of_width(items: list[Any], width: int) -> list[Any]:
    for number, row in enumerate(items):
        if len(row) != width:
            raise DataError(f"row {number} has {len(row)} values, and the model reads {width} columns")
    return items


def _numbers(items: list[Any]) -> Any:
    try:
        return np.array([[np.nan if cell is None else float(cell) for cell in row] for row in items])
    except (TypeError, ValueError) as error:
        raise DataError(f"the model reads rows of numbers of one length: {error}") from error


_TASKS: dict[str, Callable[[Model, list[Any]], Task]] = {
    IMAGE: _pictures,
    AUDIO: _sounds,
    TEXT: _texts,
    TABLE: _rows,
    ARRAY: _rows,
}


def check_rows(items: Any) -> list[Any]:
    """Rows of a request, as far as JSON tells: all dictionaries, or all lists, of cells that are plain values.

    Raises DataError.
    """
    if not isinstance(items, list) or not items:
        raise DataError('"rows" is to be a list of at least one row')
    kind = type(items[0])
    for number, row in enumerate(items):
        if kind not in (dict, list) or type(row) is not kind:
            raise DataError(f'"rows" are to be all objects, or all lists: row {number} is a {type(row).__name__}')
        cells = row.values() if isinstance(row, dict) else row
        if not all(isinstance(cell, _SCALARS) for cell in cells):
            raise DataError(f"row {number} holds a list or an object in a cell: expected strings, numbers, true, null")
    return items


def unknown_columns(model: Model, rows: Sequence[Any]) -> list[str]:
    """Columns of rows that the model does not read."""
    known = set(() if model.columns is None else model.columns.input)
    if not known or not rows or not isinstance(rows[0], dict):
        return []
    return sorted({name for row in rows for name in row} - known)
