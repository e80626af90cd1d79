"""Python objects as inputs: what `containers.contained` makes of them, as a draft of a task."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from headstart.data.bit_depth import DEEP_DTYPES
from headstart.data.containers import contained
from headstart.data.draft import Draft, finish
from headstart.data.images import holds_pictures, is_picture
from headstart.data.items import draft_of_items, recognised
from headstart.data.pixels import cure, pictures_in
from headstart.data.roles import Roles
from headstart.data.sounds import holds_sounds
from headstart.data.strings import draft_of_pictures, draft_of_sounds, draft_of_strings
from headstart.data.tables import Table, of_frame
from headstart.data.tabular import draft_of
from headstart.data.target_values import column_of, target_values
from headstart.data.targets import is_missing
from headstart.errors import DataError
from headstart.messages import few
from headstart.tasks import ARRAY, AUDIO, IMAGE, TABLE, TEXT, Modality
from headstart.tasks.task import Array, Columns, Task

__all__ = ["as_matrix", "as_task", "draft_of_inputs", "is_matrix"]

NO_COLUMNS = Columns()


def as_task(
    inputs: Any,
    targets: Any = None,
    *,
    kind: str | None = None,
    group: Iterable[Any] | None = None,
    domain: Iterable[Any] | None = None,
    weight: Iterable[Any] | None = None,
    sample_rate: int | None = None,
) -> Task:
    """The task of N inputs and their N targets, as scikit-learn has them, in any container that `containers` knows.

    inputs   (N, D) numbers; (N, H, W[, C]) pictures; a list of pictures or of their paths; a list of recordings or of
             their paths; a list of strings (texts); a table, all of whose columns are read
    targets  N str, int, bool or float, or lists of them; (N, C) of 0 and 1 is multilabel. Rows go by position

    sample_rate   the inputs are waves, float (T,) or (T, channels), or (N, T), with so many samples a second

    Labels stay as they are, as scikit-learn expects, where `read` folds their spaces. Raises DataError where lengths
    differ, or the objects are none of these.
    """
    draft = draft_of_inputs(inputs, sample_rate=sample_rate)
    if targets is not None:
        draft.targets, names = target_values(targets)
        draft.columns = draft.columns._replace(classes=names)
    draft.group = None if group is None else column_of(group, "group labels")
    draft.domain = None if domain is None else column_of(domain, "domain labels")
    draft.weight = None if weight is None else column_of(weight, "sample weights")
    arguments = {"targets": draft.targets, "group labels": draft.group, "domain labels": draft.domain}
    for what, values in (arguments | {"sample weights": draft.weight}).items():
        if values is not None and len(values) != len(draft.names):
            raise DataError(f"{len(draft.names)} inputs and {len(values)} {what}: expected one for each input")
    return finish(draft, kind, as_given=True)


def draft_of_inputs(
    source: Any, modality: Modality | None = None, columns: Columns = NO_COLUMNS, sample_rate: int | None = None
) -> Draft:
    """Inputs without targets, in any container; of a table, all columns.

    modality   what the model reads, where there is one; `columns` those that it was fitted on: rows without names are
               the model's columns by their position
    sample_rate   of waves, as in `as_task`
    """
    source = contained(source)
    if isinstance(source, Table):
        roles = Roles(input=tuple(source.raw.columns), modality=modality, sample_rate=sample_rate)
        return draft_of(source, roles, need_target=False)
    if modality == AUDIO or (modality is None and (sample_rate is not None or _are_sounds(source))):
        return draft_of_sounds(list(source), sample_rate)
    if modality == IMAGE:
        return draft_of_pictures(pictures_in(source))
    if (own_modality := recognised(source, modality)) is not None:
        return draft_of_items(source, own_modality)
    if isinstance(source, list) and not source:
        raise DataError("the list is empty: at least one input is needed")
    if modality == TABLE and columns.input:
        return _of_rows(source, columns)
    if isinstance(source, np.ndarray):
        draft = _of_array(source)
    elif any(isinstance(item, str | os.PathLike) for item in source):
        draft = _of_strings(source, modality)
    else:
        draft = draft_of_pictures(source) if holds_pictures(source) else _of_array(as_matrix(source))
    if modality is not None and (draft.modality == TEXT) != (modality == TEXT):
        raise DataError(f"the model reads {modality} inputs, not {few(source, 2)}")
    return draft


def _are_sounds(source: list[Any] | Array) -> bool:
    return isinstance(source, list) and bool(source) and holds_sounds(source)


def as_matrix(items: list[Any] | Array) -> Array:
    """Rows as an array of numbers, or of objects where some are words."""
    if isinstance(items, np.ndarray):
        return items
    try:
        array = np.asarray(items)
    except (TypeError, ValueError):
        array = np.empty(0, dtype=object)
    if array.dtype.kind in "US":
        array = np.asarray(items, dtype=object)
    if array.ndim == 1 and array.dtype.kind == "O":
        if all(isinstance(item, np.ndarray) and item.ndim > 1 for item in items):
            pictures_in(items)  # refused by name, as none of them is one
        kinds = sorted({type(item).__name__ for item in items})
        raise DataError(
            f"a list of {few(kinds)} cannot be read: expected pictures, paths, texts, or rows of numbers of one length"
        )
    return array


def is_matrix(inputs: Any) -> bool:
    """Whether inputs are rows of numbers or words: no texts, paths or pictures."""
    if isinstance(inputs, np.ndarray):
        return inputs.ndim <= 2
    return (
        recognised(inputs) is None
        and not _are_sounds(inputs)
        and not any(
            isinstance(item, str | os.PathLike) or is_picture(item) or getattr(item, "ndim", 0) > 1 for item in inputs
        )
    )


def _of_strings(items: list[Any], modality: Modality | None) -> Draft:
    strange = [item for item in items if not isinstance(item, str | os.PathLike) and not is_missing(item)]
    if strange:
        raise DataError(f"a list of strings also holds {few(strange, 3)}: expected strings, or paths, only")
    return draft_of_strings(items, modality)


def _of_array(array: Array) -> Draft:
    """(N, D) numbers, (N, H, W[, C]) pictures, or (N, D) words and numbers as a table."""
    if array.ndim in (3, 4) and array.dtype in (np.uint8, *DEEP_DTYPES):
        return draft_of_pictures(pictures_in(array))
    _require_matrix(array)
    if array.dtype.kind not in "biuf":
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError):
            table = of_frame(_frame(array))
            return draft_of(table, Roles(input=tuple(table.raw.columns), modality=TABLE), need_target=False)
    numbers = array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)
    notes = [f"input: an array of {array.shape[1]} columns"]
    return Draft(inputs=numbers, modality=ARRAY, names=[f"row {row}" for row in range(len(array))], notes=notes)


def _of_rows(source: list[Any] | Array, columns: Columns) -> Draft:
    """Rows without names for a model of named columns."""
    names = list(columns.input)
    words = isinstance(source, list) and any(isinstance(item, str) for item in source)
    if words and len(names) == 1:
        source = np.array(source, dtype=object).reshape(-1, 1)
    elif words:
        raise DataError(f"the model reads tables, not {few(source, 2)}: give a table file, or a table in memory")
    array = as_matrix(source)
    _require_matrix(array)
    if array.shape[1] != len(names):
        raise DataError(
            f"X has {array.shape[1]} features, but the model is expecting {len(names)} features as input: {few(names)}"
        )
    table = of_frame(_frame(array).set_axis(names, axis=1))
    return draft_of(table, Roles(modality=TABLE), columns, need_target=False)


def _require_matrix(array: Array) -> None:
    if array.dtype.kind == "c":
        raise DataError("Complex data not supported: give the real and the imaginary part as columns of their own")
    if array.ndim != 2:
        hint = f", which {expression} makes of an array x" if array.ndim > 2 and (expression := cure(array)) else ""
        raise DataError(
            f"Expected 2D array, got {array.ndim}D array instead (shape {array.shape}, {array.dtype}). Reshape your "
            "data: array.reshape(-1, 1) for one feature, array.reshape(1, -1) for one row; pictures are uint8 "
            f"(N, H, W[, C]){hint}"
        )
    if not array.shape[1]:
        raise DataError(f"Found array with 0 feature(s) (shape={array.shape}) while a minimum of 1 is required.")
    if array.dtype.kind not in "biufOUS":
        raise DataError(f"an array of {array.dtype} cannot be read: expected numbers or words")


def _frame(array: Array) -> pd.DataFrame:
    """(N, D) words and numbers as a table, each column of its own type."""
    try:
        return pd.DataFrame(array).infer_objects()
    except UnicodeEncodeError as error:
        raise DataError(
            "a cell holds half a character (a lone surrogate): take it out, or leave its row out"
        ) from error
