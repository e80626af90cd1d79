"""From what a target column holds to the kind of task, the classes, and numbers.

The kind is inferred so:

- lists: multilabel; rows of 0 and 1 that have one length, more than 1, are multi-hot, see `multihot`;
- words, or true and false: classification;
- numbers of which one has a fraction: regression;
- whole numbers: regression where there are more than 20 different ones with fewer than 10 rows each on average, unless
  the column is called label or class; else classification.

Classes keep their Python type (str, int, bool) and are sorted. Whole floats (1.0, 2.0) are ints. Labels of mixed types
become words.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from headstart.data.labels import fold
from headstart.errors import DataError
from headstart.messages import did_you_mean, few
from headstart.tasks import CLASSIFICATION, KINDS, MULTILABEL, REGRESSION
from headstart.tasks.task import Array, Foreign, Kind, Task

__all__ = ["code", "infer_kind", "is_missing", "plain", "recode", "require_kind", "unusable"]

MANY_VALUES = 20
FEW_ROWS = 10
LABEL_NAMES = frozenset({"label", "labels", "class"})


def plain(values: Any) -> list[Any]:
    """Any column of targets as a list of Python's own str, int, float, bool, list, or None."""
    return [_plain(value) for value in (values.tolist() if hasattr(values, "tolist") else values)]


def is_missing(value: object) -> bool:
    """None, NaN, NaT, pandas' NA, or a string of nothing but spaces."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def require_kind(kind: str | None) -> Kind | None:
    """The kind of this name, None for one that is to be inferred. Raises DataError where there is none of the name."""
    if kind is not None and kind not in KINDS:
        raise DataError(f"unknown kind {kind!r}: expected one of {', '.join(KINDS)}")
    return None if kind is None else KINDS[kind]


def infer_kind(values: Sequence[Any], name: str | None = None) -> tuple[Kind, str]:
    """The kind of task that these targets (plain, none missing) ask for, and the reason in words."""
    types = _types(values)
    if types == {"list"}:
        return MULTILABEL, "kind: multilabel (the target holds lists)"
    if not types <= {"int", "float"}:
        return CLASSIFICATION, "kind: classification (the target holds words, or true and false)"
    finite = [value for value in values if _fits_float(value)]
    if any(value != int(value) for value in finite):
        return REGRESSION, "kind: regression (the target holds numbers with a fraction)"
    different = len(set(finite))
    many = different > MANY_VALUES and len(finite) < FEW_ROWS * different
    if many and (name or "").strip().lower() not in LABEL_NAMES:
        return REGRESSION, f"kind: regression (the target holds {different} different whole numbers)"
    return CLASSIFICATION, f"kind: classification (the target holds {different} different whole numbers)"


def unusable(values: Sequence[Any], kind: Kind) -> dict[int, str]:
    """The rows whose target is missing, or infinite: row -> why."""
    reasons = {}
    for row, value in enumerate(values):
        if is_missing(value):
            reasons[row] = "the target is missing"
        elif kind.several and isinstance(value, list) and any(map(is_missing, value)):
            reasons[row] = "a label in the target's list is missing"
        elif not kind.several and isinstance(value, int | float) and not _fits_float(value):
            reasons[row] = f"the target is {'infinite' if isinstance(value, float) else 'too large a number'}"
    return reasons


def code(values: Sequence[Any], kind: Kind, labels: Sequence[Hashable] = ()) -> tuple[Array, tuple[Hashable, ...]]:
    """Targets (plain, none missing) -> the array of `Task.targets`, and the classes (none for regression).

    labels   all classes of a multilabel task, in their order, where they are known; () for those that occur, sorted

    Raises DataError where the targets do not fit the kind.
    """
    types = _types(values)
    if not kind.has_classes:
        if not types <= {"int", "float", "bool"}:
            raise DataError(f"regression needs numbers, but the target holds {few(_others(values), 3)}; {_WAY_OUT}")
        return np.array(values, dtype=np.float64), ()
    if (types == {"list"}) != kind.several:
        problem = f"the target holds {few(values, 3)}; {_WAY_OUT}"
        expected = "a list of labels in every row" if kind.several else "one label in every row, not lists"
        raise DataError(f"{kind} needs {expected}, but {problem}")
    if kind.exclusive:
        labels = _labels(values)
        classes = tuple(sorted(set(labels)))
        at = {label: i for i, label in enumerate(classes)}
        return np.array([at[label] for label in labels], dtype=np.int64), classes
    flat = iter(_labels([label for row in values for label in row]))
    rows = [{next(flat) for _ in row} for row in values]
    classes = tuple(labels) or tuple(sorted(set().union(*rows)))
    return np.array([[label in row for label in classes] for row in rows], dtype=np.uint8).reshape(
        len(rows), -1
    ), classes


def recode(task: Task, classes: Sequence[Hashable]) -> Task:
    """The same task with its targets in the codes of a fitted model's `classes`, for evaluation.

    A label is looked up by its folded text (the table may hold 1 where the model learnt "1"). Rows with a
    label that the model does not know are set aside; those without one stay. Raises DataError where that leaves none.
    """
    if not task.kind.has_classes or task.targets is None or task.classes == tuple(classes):
        return task
    by_text = {fold(str(label)): i for i, label in enumerate(classes)}
    place = [by_text.get(fold(str(label)), -1) for label in task.classes]
    strange = [label for label, at in zip(task.classes, place, strict=True) if at < 0]
    if task.kind.exclusive:
        targets = np.append(np.array(place, dtype=np.int64), -1)[task.targets]
        usable = (targets >= 0) | (task.targets < 0)
    else:
        targets = np.zeros((len(task), len(classes)), dtype=np.uint8)
        shared_classes = [i for i, at in enumerate(place) if at >= 0]
        targets[:, [place[i] for i in shared_classes]] = task.targets[:, shared_classes]
        usable = task.targets.sum(axis=1) == targets.sum(axis=1)
    if not usable.any():
        hint = did_you_mean(str(strange[0]), by_text)
        raise DataError(f"the model knows none of the labels {few(strange)}: it learnt {few(classes)}.{hint}")
    why = f"its label is not one that the model learnt ({few(strange, 3)})"
    places = task.positions
    lost = tuple(Foreign(task.names[row], why, int(places[row])) for row in np.flatnonzero(~usable).tolist())
    recoded = replace(task, targets=targets, classes=tuple(classes)).take(np.flatnonzero(usable))
    return replace(recoded, set_aside=task.set_aside + lost)


_WAY_OUT = "leave the kind out to have it inferred, or name another target column"


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(part) for part in value]
    if isinstance(value, Decimal):
        return float(value)
    return str(value) if isinstance(value, str) else value


def _types(values: Sequence[Any]) -> set[str]:
    """Which of str, int, float, bool, list there are. Raises DataError for anything else."""
    types = {type(value).__name__ for value in values}
    if strange := types - {"str", "int", "float", "bool", "list"}:
        raise DataError(
            f"a target cannot be a {sorted(strange)[0]}: expected words, numbers, true or false, or lists of them; "
            "name another target column, or convert it"
        )
    return types


def _labels(values: Sequence[Any]) -> list[Any]:
    """Labels of one type, that can be sorted. Raises DataError for numbers with a fraction."""
    types = _types(values)
    as_label: Callable[[Any], Any] = _as_word
    if "list" in types:
        raise DataError(
            f"the target holds lists beside, or in, other labels: {few(values, 3)}; expected one or the other"
        )
    if fractions := [value for value in values if isinstance(value, float) and value != int(value)]:
        raise DataError(
            f"the target holds numbers with a fraction, {few(fractions, 3)}, which are no classes: use "
            "kind='regression', or write the classes as words (unknown label type: continuous)"
        )
    if types <= {"int", "float"}:
        as_label = int
    elif types == {"bool"}:
        as_label = bool
    return [as_label(value) for value in values]


def _as_word(value: Any) -> str:
    """A label among labels of other types; a whole float is written as the whole number that it is."""
    return str(int(value)) if isinstance(value, float) else str(value)


def _fits_float(value: float) -> bool:
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def _others(values: Sequence[Any]) -> list[Any]:
    return [value for value in values if not isinstance(value, int | float)]
