"""From a table whose columns have their roles to a draft of a task."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from headstart.data.cells import Typed
from headstart.data.columns import assign
from headstart.data.counters import count_of_rows, order_tells, whole_numbers
from headstart.data.draft import Draft
from headstart.data.images import find_pictures
from headstart.data.labels import fold
from headstart.data.pieces import pieces
from headstart.data.roles import Roles
from headstart.data.sounds import find_sounds
from headstart.data.split_names import split_of
from headstart.data.tables import Table
from headstart.data.targets import infer_kind, is_missing, require_kind
from headstart.data.text import empty_note, find_texts, join_texts
from headstart.data.written_lists import from_text
from headstart.errors import DataError
from headstart.messages import few, shown
from headstart.tasks import ARRAY, AUDIO, IMAGE, TABLE, TEXT
from headstart.tasks.task import Columns, SetAside

__all__ = ["draft_of"]

NUMBERS = frozenset({"number", "number comma", "duration", "truth"})

CODE = re.compile("[A-Z]{2}")
MANY_CODES = 3


def draft_of(
    table: Table,
    roles: Roles,
    columns: Columns | None = None,
    *,
    need_target: bool = True,
    kind: str | None = None,
) -> Draft:
    """Rows with their inputs, targets, split, group and domain. Raises DataError as `columns.assign` does.

    kind   of task, where it is given: few amounts with a unit are classes unless it is regression
    """
    table = table.as_before(() if columns is None else columns.types)
    assigned = assign(table, roles, columns, need_target=need_target)
    at = assigned.columns._replace(classes=roles.classes or (() if columns is None else columns.classes))
    if at.target is not None and _are_classes(table.typed[at.target], kind):
        table = table.as_before({**table.types, at.target: "words"}.items())
    read = [*(at.input if assigned.modality.has_columns else ()), *([at.target] if at.target else [])]
    draft = Draft(
        inputs=[],
        modality=assigned.modality,
        names=table.names,
        places=table.places,
        targets=None if at.target is None else _targets(table, at.target),
        group=None if at.group is None else table.frame[at.group].tolist(),
        domain=None if at.domain is None else table.frame[at.domain].tolist(),
        weight=None if at.weight is None else table.frame[at.weight].tolist(),
        columns=at._replace(types=tuple((name, table.typed[name].type) for name in read)),
        set_aside=list(table.set_aside),
        notes=[*table.notes, *(note for name in read if (note := table.typed[name].note)), *assigned.notes],
    )
    if at.target is not None:
        _put_codes(draft, table, at.target)
    _put_counters(draft, table, assigned.counters)
    if draft.modality == AUDIO:
        _put_sounds(draft, table, assigned.bounds, roles)
    else:
        _put_inputs(draft, table)
    _put_split(draft, table)
    return draft


def _put_inputs(draft: Draft, table: Table) -> None:
    if draft.modality not in INPUTS:
        raise DataError(f"{draft.modality} inputs are not read from tables: give them as a list")
    INPUTS[draft.modality](draft, table, list(draft.columns.input))


def _put_pictures(draft: Draft, table: Table, names: list[str]) -> None:
    cells = table.raw[names[0]].tolist()
    draft.inputs, draft.broken = find_pictures(cells, table.folder)
    draft.names = [
        f"{name}: {shown(str(cell))}" if isinstance(cell, str) else name
        for name, cell in zip(table.names, cells, strict=True)
    ]


def _put_sounds(draft: Draft, table: Table, bounds: tuple[str | None, str | None], roles: Roles) -> None:
    """With the parts that columns name, and parts of one recording in one group."""
    cells = table.raw[draft.columns.input[0]].tolist()
    ends = [[None] * len(cells) if name is None else table.frame[name].tolist() for name in bounds]
    draft.inputs, draft.broken = find_sounds(
        cells, table.folder, rate=roles.sample_rate, bounds=(ends[0], ends[1]) if any(bounds) else None
    )
    draft.names = [
        f"{name}: {shown(str(cell))}{_part(a, b) if any(bounds) else ''}" if isinstance(cell, str) else name
        for name, cell, a, b in zip(table.names, cells, *ends, strict=True)
    ]
    if draft.group is None:
        draft.group, rule = pieces(draft.inputs, draft.targets)
        draft.notes += [f"group: {rule}"] if rule else []


def _part(start: Any, end: Any) -> str:
    first = "0" if is_missing(start) else f"{start:g}"
    return f" from {first} s" if is_missing(end) else f" from {first} to {end:g} s"


def _put_texts(draft: Draft, table: Table, names: list[str]) -> None:
    cells = [table.raw[name].tolist() for name in names]
    if table.empty_is_missing:
        cells = [[cell if cell != "" else None for cell in column] for column in cells]
    draft.inputs, draft.broken = find_texts(cells[0]) if len(cells) == 1 else join_texts(cells)
    draft.notes += empty_note(draft.inputs, draft.broken)


def _put_frame(draft: Draft, table: Table, names: list[str]) -> None:
    draft.inputs = table.frame[names]
    _note_dates(draft, table, names)


def _put_numbers(draft: Draft, table: Table, names: list[str]) -> None:
    draft.inputs = _numbers(table.frame[names], table)
    _note_dates(draft, table, names)


def _note_dates(draft: Draft, table: Table, names: list[str]) -> None:
    dates = [name for name in names if table.typed[name].type.startswith("date")]
    if dates:
        draft.notes.append(f"dates, read as the time and its place in the year, the week and the day: {few(dates)}")


INPUTS: dict[str, Callable[[Draft, Table, list[str]], None]] = {
    IMAGE: _put_pictures,
    TEXT: _put_texts,
    TABLE: _put_frame,
    ARRAY: _put_numbers,
}
"""By modality, how input columns become the inputs of a draft."""


def _put_split(draft: Draft, table: Table) -> None:
    if draft.columns.split is None:
        draft.split = table.split
        return
    cells = table.frame[draft.columns.split].tolist()
    draft.split = [split_of(cell) or "" for cell in cells]
    draft.broken |= {row: "the split is missing" for row, cell in enumerate(cells) if is_missing(cell)}


def _are_classes(target: Typed, kind: str | None) -> bool:
    """Whether amounts that have a unit are few, such as 36 months and 60 months: then they are classes, and keep it."""
    if not target.unit:
        return False
    amounts = target.values.dropna().tolist()
    return (require_kind(kind) or infer_kind(amounts, str(target.values.name))[0]).exclusive


def _targets(table: Table, name: str) -> list[Any]:
    """The cells of a target column, words as they stand in the file, since `labels` folds them for all formats.

    Lists written as text (as CSV must) become lists.
    """
    pairs = zip(table.frame[name].tolist(), table.raw[name].tolist(), strict=True)
    cells = [raw if isinstance(cell, str) and isinstance(raw, str) else cell for cell, raw in pairs]
    return from_text(cells)


def _put_counters(draft: Draft, table: Table, names: tuple[str, ...]) -> None:
    """Say of row counters whether their order tells the target."""
    for name in names:
        numbers, why = whole_numbers(table.frame[name]), count_of_rows(table.frame[name])
        tells = "" if numbers is None or draft.targets is None else order_tells(numbers, draft.targets)
        if tells:
            draft.notes = [note.replace(why, f"{why}; {tells}") for note in draft.notes]
        draft.counters.append(SetAside(name, tells))


def _put_codes(draft: Draft, table: Table, name: str) -> None:
    """NA among targets of two capitals (Namibia among countries) is one of them, and not missing."""
    raws = [fold(raw) if isinstance(raw, str) else "" for raw in table.raw[name].tolist()]
    words = {fold(cell) for cell in draft.targets if isinstance(cell, str)} - {"NA", ""}
    if "NA" in raws and len(words) >= MANY_CODES and all(CODE.fullmatch(word) for word in words):
        draft.targets = ["NA" if raw == "NA" else cell for raw, cell in zip(raws, draft.targets, strict=True)]
        draft.notes = [note for note in draft.notes if note != table.typed[name].note]
        draft.notes.append(f"NA in {name!r} is a code of two capitals, as the others are, and not missing")


def _numbers(frame: pd.DataFrame, table: Table) -> np.ndarray[Any, Any]:
    words = [name for name in frame.columns if table.typed[name].type not in NUMBERS]
    if words:
        raise DataError(f"the model reads an array of numbers, and the columns {few(words)} hold words or dates")
    return frame.astype(np.float64).to_numpy()
