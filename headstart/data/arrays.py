"""Python objects: NumPy arrays, pictures, paths and texts in lists, tables in memory."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from headstart.data.draft import Draft, finish
from headstart.data.huggingface import is_dataset, table_of
from headstart.data.images import holds_pictures, is_picture
from headstart.data.naming import few
from headstart.data.roles import Roles
from headstart.data.strings import draft_of_pictures, draft_of_strings
from headstart.data.tables import Table, of_frame
from headstart.data.tabular import draft_of
from headstart.data.targets import is_missing, plain
from headstart.data.task import Array, Kind, Modality, Task
from headstart.errors import DataError

__all__ = ["as_table", "as_task", "draft_of_inputs"]


def as_task(
    inputs: Any,
    targets: Any = None,
    *,
    kind: Kind | None = None,
    group: Iterable[Any] | None = None,
    domain: Iterable[Any] | None = None,
) -> Task:
    """The task of N inputs and their N targets, as scikit-learn has them.

    inputs   (N, D) numbers; (N, H, W[, C]) uint8, or a list of pictures or of their paths; a list of strings (texts);
             a pandas or pyarrow table or a Hugging Face dataset, all of whose columns are read
    targets  N str, int, bool or float, or lists of them; an (N, C) array or table of 0 and 1 is multilabel

    Raises DataError where lengths differ, or the objects are none of these.
    """
    table = as_table(inputs)
    if table is not None:
        draft = draft_of(table, Roles(input=tuple(table.frame.columns)), need_target=False)
    elif isinstance(inputs, str):
        raise DataError(f"{inputs!r:.80} is one string: give a list of texts or paths; folders and files go to fit")
    else:
        draft = draft_of_inputs(inputs)
    draft.targets = None if targets is None else _target_column(targets)
    draft.group = None if group is None else _column(group, "group labels")
    draft.domain = None if domain is None else _column(domain, "domain labels")
    for what, values in (("targets", draft.targets), ("group labels", draft.group), ("domain labels", draft.domain)):
        if values is not None and len(values) != len(draft.names):
            raise DataError(f"{len(draft.names)} inputs and {len(values)} {what}: expected one for each input")
    return finish(draft, kind)


def as_table(source: Any) -> Table | None:
    """The table that an object is (pandas, pyarrow, Hugging Face, or anything with `to_pandas`), or None."""
    if is_dataset(source):
        return table_of(source)
    if isinstance(source, pd.DataFrame):
        return of_frame(source)
    return of_frame(source.to_pandas()) if hasattr(source, "to_pandas") else None


def draft_of_inputs(source: Any, modality: Modality | None = None) -> Draft:
    """Inputs without targets: an array, a picture, a path, or a list of pictures, paths, texts or rows of numbers."""
    if isinstance(source, Image.Image | os.PathLike):
        source = [source]
    if hasattr(source, "toarray"):
        raise DataError(f"a sparse {type(source).__name__} cannot be read: make it dense with .toarray()")
    if isinstance(source, pd.Series):
        source = source.tolist()
    if isinstance(source, list | tuple):
        return _from_list(list(source), modality)
    if isinstance(source, np.ndarray) or hasattr(source, "__array__"):
        return _from_array(np.asarray(source), modality)
    raise DataError(
        f"a {type(source).__name__} cannot be read: expected a path, a list of paths, pictures or texts, "
        "a NumPy array, a pandas or pyarrow table, or a Hugging Face dataset"
    )


def _from_list(items: list[Any], modality: Modality | None) -> Draft:
    if not items:
        raise DataError("the list is empty: at least one input is needed")
    named = [isinstance(item, str | os.PathLike) for item in items]
    if any(named):
        if strange := [item for item, fits in zip(items, named, strict=True) if not fits and not is_missing(item)]:
            raise DataError(f"a list of strings also holds {few(strange, 3)}: expected strings, or paths, only")
        return draft_of_strings(items, modality)
    return draft_of_pictures(items) if holds_pictures(items) else _from_array(_matrix(items), modality)


def _matrix(items: list[Any]) -> Array:
    """Rows as an array of numbers, or of objects where some are words."""
    try:
        array = np.asarray(items)
    except (TypeError, ValueError):
        array = np.empty(0, dtype=object)
    if array.dtype.kind in "US":
        array = np.asarray(items, dtype=object)
    if array.ndim == 1 and array.dtype.kind == "O":
        kinds = sorted({type(item).__name__ for item in items})
        raise DataError(
            f"a list of {few(kinds)} cannot be read: expected pictures, paths, texts, or rows of numbers of one length"
        )
    return array


def _from_array(array: Array, modality: Modality | None) -> Draft:
    """(N, D) numbers, (N, H, W[, C]) uint8 pictures, (N,) objects or strings, or (N, D) of them as a table."""
    if array.ndim == 1 and _holds_items(array):
        return _from_list(array.tolist(), modality)
    if array.dtype.kind == "c":
        raise DataError("Complex data not supported: give the real and the imaginary part as columns of their own")
    if array.ndim in (3, 4) and array.dtype == np.uint8:
        return _from_pixels(array)
    if array.ndim != 2:
        raise DataError(
            f"Expected 2D array, got {array.ndim}D array instead (shape {array.shape}, {array.dtype}). Reshape your "
            "data: array.reshape(-1, 1) for one feature, array.reshape(1, -1) for one row; pictures are uint8 "
            "(N, H, W[, C])"
        )
    if not array.shape[1]:
        raise DataError(f"Found array with 0 feature(s) (shape={array.shape}) while a minimum of 1 is required.")
    if array.dtype.kind not in "biufOUS":
        raise DataError(f"an array of {array.dtype} cannot be read: expected numbers or words")
    if array.dtype.kind not in "biuf":
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError):
            table = of_frame(_frame(array))
            return draft_of(table, Roles(input=tuple(table.frame.columns), modality="table"), need_target=False)
    numbers = array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)
    notes = [f"input: an array of {array.shape[1]} columns"]
    return Draft(inputs=numbers, modality="array", names=[f"row {row}" for row in range(len(array))], notes=notes)


def _holds_items(array: Array) -> bool:
    """Whether a 1-D array is a list of strings, paths or pictures in disguise."""
    return any(isinstance(item, str | os.PathLike) or is_picture(item) for item in array.tolist())


def _frame(array: Array) -> pd.DataFrame:
    """(N, D) words and numbers as a table, each column of its own type."""
    try:
        return pd.DataFrame(array).infer_objects()
    except UnicodeEncodeError as error:
        raise DataError(
            "a cell holds half a character (a lone surrogate): take it out, or leave its row out"
        ) from error


def _from_pixels(array: Array) -> Draft:
    if array.ndim == 4 and array.shape[3] not in (1, 3, 4):
        raise DataError(
            f"pictures of shape {array.shape} have no 1, 3 or 4 channels in the last place: expected (N, H, W, C), "
            "which x.transpose(0, 2, 3, 1) makes of (N, C, H, W)"
        )
    return draft_of_pictures(list(array))


def _target_column(targets: Any) -> list[Any]:
    """N targets; a matrix of 0 and 1 becomes lists of the column names (or numbers) where it holds 1."""
    names = list(targets.columns) if isinstance(targets, pd.DataFrame) else None
    matrix = targets.to_numpy() if names is not None else targets
    if not isinstance(matrix, np.ndarray) or matrix.ndim < 2:
        return _column(targets, "targets")
    if matrix.ndim == 2 and matrix.shape[1] == 1:
        return plain(matrix[:, 0])
    if matrix.ndim != 2 or not np.isin(matrix, (0, 1)).all():
        raise DataError(f"targets of shape {matrix.shape}: expected (N,), or (N, C) of 0 and 1 for multilabel")
    return [[names[i] if names else i for i in np.flatnonzero(row).tolist()] for row in matrix]


def _column(values: Any, what: str) -> list[Any]:
    listed = isinstance(values, Iterable) and not isinstance(values, str | bytes | set | dict)
    if not listed or getattr(values, "ndim", 1) == 0:
        raise DataError(f"{what} are one {type(values).__name__}, {values!r:.60}: expected a list, one for each input")
    return plain(values)
