"""Multi-hot targets: rows of 0 and 1, one place for each class, as the list of classes that each row has.

Rows are multi-hot where all of them have one length, more than 1, and hold nothing but 0 and 1 (also 0.0, 1.0, true and
false). Read as lists of labels they would name label 0 or label 1 twice, which no list of labels does; the only rows
for which that is not so are [0, 1] and [1, 0], and where all rows are of these, lists of labels would say the same of
every row, and nothing could be learnt. So a list such as [0, 2], rows of different lengths such as [0], [1], [0, 1],
and rows of one label each such as [0], [1] stay lists of labels.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

from headstart.data.targets import is_missing
from headstart.errors import DataError
from headstart.messages import few

__all__ = ["Labelled", "from_multihot"]


class Labelled(NamedTuple):
    """Targets as lists of labels, all classes that there are ((): those that occur), and what to say ("": nothing)."""

    values: list[Any]
    classes: tuple[Hashable, ...]
    note: str


def from_multihot(values: list[Any], names: Sequence[str] = ()) -> Labelled:
    """Targets (plain; None where missing) with multi-hot rows made lists of classes; all others as they are.

    names   of the places, in their order; () calls them 0, 1, 2, ... Lists of words may name the same labels

    Raises DataError where names do not fit the rows, and where rows of 0 and 1 name a label twice but differ in length.
    """
    rows = [value for value in values if isinstance(value, list) and not any(map(is_missing, value))]
    lengths = sorted({len(row) for row in rows})
    binary = bool(rows) and all(_is_binary(row) for row in rows)
    others = any(not isinstance(value, list) and not is_missing(value) for value in values)
    if others or not binary or (len(lengths) == 1 and lengths[0] < 2):
        return _as_they_are(values, tuple(names))
    if len(lengths) > 1:
        if names or any(len(set(row)) < len(row) for row in rows):
            raise DataError(
                f"the target's rows of 0 and 1 have {few(lengths)} places: expected one length (multi-hot), or lists "
                "that name each label once"
            )
        return Labelled(values, (), "")
    if names and len(names) != lengths[0]:
        raise DataError(
            f"classes names {len(names)} labels, {few(names)}, and each row of the target has {lengths[0]} places"
        )
    if len(set(names)) < len(names):
        raise DataError(f"classes names a label twice: {few(names)}")
    classes: tuple[Hashable, ...] = tuple(names) or tuple(range(lengths[0]))
    label_names = few(names) if names else f"0 to {len(classes) - 1} (--classes a,b,c or Roles(classes=...) names them)"
    note = f"target: rows of 0 and 1 are multi-hot, {len(classes)} labels called {label_names}"
    return Labelled([_labels(value, classes) for value in values], classes, note)


def _as_they_are(values: list[Any], names: tuple[str, ...]) -> Labelled:
    """Targets that are not multi-hot; lists of words may have their classes named as well."""
    rows = [value for value in values if not is_missing(value)]
    if not names or not rows:
        return Labelled(values, (), "")
    if any(not isinstance(row, list) or not all(isinstance(label, str) for label in row) for row in rows):
        raise DataError(
            f"classes ({few(names)}) name the places of rows of 0 and 1, but the target holds {few(rows, 3)}"
        )
    unnamed = sorted({label for row in rows for label in row} - set(names))
    note = f"target: labels that classes does not name: {few(unnamed)}" if unnamed else ""
    return Labelled(values, () if unnamed else names, note)


def _is_binary(row: list[Any]) -> bool:
    return all(isinstance(cell, int | float) and cell in (0, 1) for cell in row)


def _labels(value: Any, classes: tuple[Hashable, ...]) -> Any:
    if not isinstance(value, list) or any(map(is_missing, value)):
        return value
    return [label for label, cell in zip(classes, value, strict=True) if cell]
