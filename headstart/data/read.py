"""Read data: from a path or a Python object to a `Task`."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from headstart.data.arrays import draft_of_inputs
from headstart.data.cifar import ARCHIVES, holds_cifar, read_cifar
from headstart.data.containers import contained
from headstart.data.draft import Draft, finish
from headstart.data.folders import read_folder
from headstart.data.given import as_read
from headstart.data.images import is_picture_name
from headstart.data.roles import Roles
from headstart.data.sounds import is_sound_name
from headstart.data.tables import SUFFIXES, Table, is_table_name, read_table
from headstart.data.tabular import draft_of
from headstart.data.text import is_text_name
from headstart.errors import DataError
from headstart.messages import did_you_mean, shown
from headstart.tasks import ARRAY
from headstart.tasks.task import Columns, Task

__all__ = ["read"]

NO_ROLES = Roles()
WAY_OUT = {
    ".json": "write one object a line: pandas.read_json(path).to_json('data.jsonl', orient='records', lines=True)",
    ".xlsx": "save the sheet as CSV UTF-8",
    ".xls": "save the sheet as CSV UTF-8",
    ".ods": "save the sheet as CSV UTF-8",
    ".zip": "unpack it and name the folder",
    ".tar": "unpack it and name the folder",
    ".gz": "unpack it and name the folder",
    ".npy": "load it with numpy.load and pass the array in Python",
    ".npz": "load it with numpy.load and pass the arrays in Python",
    ".feather": "write it as Parquet: pandas.read_feather(path).to_parquet('data.parquet')",
    ".arrow": "write it as Parquet: pandas.read_feather(path).to_parquet('data.parquet')",
}


def read(
    source: Any,
    *,
    roles: Roles = NO_ROLES,
    kind: str | None = None,
    need_target: bool = True,
    partly: bool = False,
    columns: Columns | None = None,
    to_answer: bool = False,
) -> Task:
    """Read a folder, a table file, one input file, or a Python object.

    source       a folder of pictures, recordings or .txt files (one sub-folder a class, with or without train, val and
                 test above them); a .csv, .tsv, .jsonl or .parquet; CIFAR's binary version (see `cifar`), a folder or
                 an archive; a table in memory (pandas, pyarrow, polars, Hugging Face, see `containers`). Without
                 `need_target` also: any folder of such files, one of them, a list of them, a list of texts, an array
                 (see `arrays.as_task`). A `Task` is taken as it is
    roles        which column is what, where the rule in `columns` would say otherwise
    need_target  read the targets; rows without one are set aside. Else `Task.targets` is None
    partly       rows without a target stay, with code -1 or NaN; one class is enough, and with no target at all
                 `Task.targets` is None
    columns      `Task.columns` of an earlier reading, for prediction and evaluation: its inputs must be there, other
                 columns are ignored, and one class is enough

    to_answer    each row is to get an answer or a reason: a task of no usable row is then no error

    What cannot be used is in `Task.set_aside`, what was inferred in `Task.notes`. Raises DataError, which says what
    to do.
    """
    if isinstance(source, Task):
        return as_read(source, kind=kind, need_target=need_target)
    if isinstance(source, str | os.PathLike):
        draft = _from_path(os.fsdecode(source), roles, columns, need_target, kind)
    elif isinstance(values := contained(source), Table):
        named = _all_of(values, roles, columns, need_target)
        draft = draft_of(values, named, columns, need_target=need_target, kind=kind)
    elif need_target:
        raise DataError(
            f"a {type(source).__name__} holds inputs and no targets: pass a table that has both, or use "
            "Transfer().fit(inputs, targets)"
        )
    else:
        draft = draft_of_inputs(values, roles.modality, columns or Columns(), roles.sample_rate)
    return finish(draft, kind, one_class=partly or columns is not None, partly=partly, to_answer=to_answer)


def _from_path(path: str, roles: Roles, columns: Columns | None, need_target: bool, kind: str | None) -> Draft:
    if not os.path.exists(path):
        raise DataError(_no_such_path(path))
    if not os.path.isdir(path) and is_table_name(path):
        table = read_table(path)
        named = _all_of(table, roles, columns, need_target)
        return draft_of(table, named, columns, need_target=need_target, kind=kind)
    if roles.named or roles.inputs:
        raise DataError(
            f"{shown(path)!r} is no table, so it has no columns to name: leave input, target and others out"
        )
    if (os.path.isdir(path) or path.lower().endswith(ARCHIVES)) and holds_cifar(path):
        return read_cifar(path, need_target=need_target)
    if os.path.isdir(path):
        return read_folder(path, modality=roles.modality, need_target=need_target)
    if not any(fits(path) for fits in (is_picture_name, is_text_name, is_sound_name)):
        raise DataError(_unknown_suffix(path))
    if need_target:
        raise DataError(
            f"{shown(path)!r} is one input without a target: give a folder with one sub-folder a class, or a table"
        )
    return draft_of_inputs([Path(path)], roles.modality)


def _all_of(table: Table, roles: Roles, columns: Columns | None, need_target: bool) -> Roles:
    """The roles of a table that is given to a model fitted on inputs without names: its one column, or all of them."""
    nameless = columns is not None and not columns.input and not need_target and not roles.named and not roles.inputs
    if nameless and (roles.modality == ARRAY or len(table.raw.columns) == 1):
        return replace(roles, input=tuple(table.raw.columns))
    return roles


def _no_such_path(path: str) -> str:
    folder, name = os.path.split(path.rstrip("/"))
    present = os.listdir(folder or ".") if os.path.isdir(folder or ".") else []
    hint = did_you_mean(name, map(shown, present)) or (" A text goes in a list: [text]" if " " in name else "")
    return f"no such file or folder: {shown(path)!r:.200}.{hint}"


def _unknown_suffix(path: str) -> str:
    suffix = os.path.splitext(path)[1].lower()
    expected = f"expected a folder, a picture, a recording, a .txt, or a table ({', '.join(SUFFIXES)})"
    return f"{shown(path)!r} cannot be read by its suffix {suffix!r}: {WAY_OUT.get(suffix, expected)}"
