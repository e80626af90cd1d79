"""Duplicates: the same content twice, or nearly the same; with the same label or another; on both sides of a split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import cast

import numpy as np
import pandas as pd

from headstart.data.content import row_keys
from headstart.data.quality.findings import Finding
from headstart.data.quality.inspection import Inspection
from headstart.data.quality.near_pictures import near_pictures
from headstart.data.quality.near_sounds import near_sounds
from headstart.data.quality.near_texts import near_texts
from headstart.data.splits.groups import blocks
from headstart.tasks import ARRAY, AUDIO, IMAGE, TABLE, TEXT
from headstart.tasks.task import Array, Inputs, Task

__all__ = ["NEAR", "duplicate_findings", "near_pairs", "near_rows"]

_DIGITS = 6
_CHUNK = 1 << 14


def near_pairs(task: Task, keys: Sequence[bytes], thumbs: Array | None = None) -> Array:
    """Pairs of rows that are nearly but not exactly the same, (P, 2) int64 with first < second.

    Pictures and recordings by their thumbs (none without), texts by their wording, tables and arrays to six
    significant digits, others as `NEAR` says.
    """
    search = NEAR.get(task.modality)
    pairs = np.zeros((0, 2), np.int64) if search is None else search(task.inputs, thumbs)
    exact = np.array([keys[first] == keys[second] for first, second in pairs.tolist()], dtype=bool)
    return np.delete(pairs, np.flatnonzero(exact), axis=0)


def near_rows(rows: pd.DataFrame | Array) -> Array:
    """Pairs of rows of a (N, C) table or array that agree in six significant digits; whole numbers agree exactly."""
    rounded: list[bytes] = []
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        if isinstance(chunk, pd.DataFrame):
            chunk = chunk.copy()
            for column in np.flatnonzero([pd.api.types.is_float_dtype(dtype) for dtype in chunk.dtypes]).tolist():
                chunk.isetitem(column, _rounded(chunk.iloc[:, column].to_numpy(np.float64, na_value=np.nan)))
        elif chunk.dtype.kind == "f":
            chunk = _rounded(chunk.astype(np.float64))
        rounded += row_keys(chunk)
    block = blocks(len(rounded), rounded)
    order = np.argsort(block, kind="stable")
    same = np.flatnonzero(block[order][1:] == block[order][:-1])
    return np.stack([order[same], order[same + 1]], axis=1)


def duplicate_findings(inspection: Inspection) -> Iterator[Finding]:
    """Exact copies and near copies, with the same label and with another.

    Of copies of a picture, a text or a recording with different labels only those with the label of most of them stay
    in use. Rows of a table may be equal and differ in their targets by nature: they all stay.
    """
    conflicts: list[Array] = []
    outvoted: list[int] = []
    copies = list(_copies(inspection))
    for rows in copies if inspection.task.targets is not None else []:
        labels = Counter(map(inspection.label, rows.tolist()))
        if len(labels) > 1:
            conflicts.append(rows)
            outvoted += [row for row in rows.tolist() if labels[inspection.label(row)] * 2 <= len(rows)]
    yield from _exact(inspection, copies)
    if conflicts:
        yield _conflicting(inspection, conflicts, outvoted)
    yield from _near(inspection)


def _copies(inspection: Inspection) -> Iterator[Array]:
    """The rows in use of each content that more than one of them has."""
    rows = np.flatnonzero(inspection.used)
    rows = rows[np.argsort(inspection.copy_of[rows], kind="stable")]
    starts = np.flatnonzero(np.diff(inspection.copy_of[rows])) + 1
    return (group for group in np.split(rows, starts) if len(group) > 1)


def _exact(inspection: Inspection, copies: list[Array]) -> Iterator[Finding]:
    if copies:
        yield Finding(
            "rows that exactly repeat another",
            sum(len(rows) - 1 for rows in copies),
            inspection.pair_examples(rows[:2].tolist() for rows in copies),
            "copies are kept together: never one in training and one in the test",
            "note",
        )


def _conflicting(inspection: Inspection, conflicts: list[Array], outvoted: list[int]) -> Finding:
    task = inspection.task
    by_nature = task.modality.has_columns or not task.kind.has_classes
    if not by_nature:
        free = np.array(outvoted, np.int64)
        inspection.set_aside(free[~inspection.given_test[free]], "an exact copy has another label")
    pairs = [(rows[0], next(r for r in rows if inspection.label(r) != inspection.label(rows[0]))) for rows in conflicts]
    return Finding(
        "rows whose exact copies have another target" if by_nature else "rows whose exact copies have another label",
        sum(map(len, conflicts)),
        inspection.pair_examples(pairs, labels=True),
        "kept, and kept together: no model can get all of them right"
        if by_nature
        else "copies with the label of most of them stay, the others (in a tie all) are set aside",
        "warning",
    )


def _near(inspection: Inspection) -> Iterator[Finding]:
    pairs = inspection.near_pairs[inspection.used[inspection.near_pairs].all(axis=1)]
    labelled = inspection.task.targets is not None and inspection.task.kind.has_classes
    differ = np.array([labelled and inspection.label(a) != inspection.label(b) for a, b in pairs.tolist()], dtype=bool)
    if (~differ).any():
        yield Finding(
            "near duplicates",
            len(np.unique(pairs[~differ])),
            inspection.pair_examples(pairs[~differ].tolist()),
            "kept together: never one in training and another in the test",
            "note",
        )
    if differ.any():
        yield Finding(
            "near duplicates with different labels",
            len(np.unique(pairs[differ])),
            inspection.pair_examples(pairs[differ].tolist(), labels=True),
            "kept, and kept together: look whether the labels are right",
            "warning",
        )


def _near_pictures(inputs: Inputs, thumbs: Array | None) -> Array:
    return np.zeros((0, 2), np.int64) if thumbs is None else near_pictures(thumbs)


def _near_sounds(inputs: Inputs, thumbs: Array | None) -> Array:
    return np.zeros((0, 2), np.int64) if thumbs is None else near_sounds(thumbs)


def _near_texts(inputs: Inputs, thumbs: Array | None) -> Array:
    return near_texts(TEXT.texts(inputs))


def _near_frame(inputs: Inputs, thumbs: Array | None) -> Array:
    return near_rows(cast("pd.DataFrame", inputs))


def _near_array(inputs: Inputs, thumbs: Array | None) -> Array:
    return near_rows(np.asarray(inputs))


NEAR: dict[str, Callable[[Inputs, Array | None], Array]] = {
    IMAGE: _near_pictures,
    TEXT: _near_texts,
    AUDIO: _near_sounds,
    TABLE: _near_frame,
    ARRAY: _near_array,
}
"""By modality, pairs of rows that are nearly the same, from the inputs and their thumbnails. None: no such pairs."""


def _rounded(numbers: Array) -> Array:
    """To six significant digits; whole numbers as they are."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        unit = 10.0 ** (_DIGITS - 1 - np.floor(np.log10(np.abs(numbers))))
        rounded = np.round(numbers * unit) / unit
        return np.where(np.isfinite(rounded) & (numbers % 1 != 0), rounded, numbers)
