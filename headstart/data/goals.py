"""What to be good at, in the words of a person -> `Goal`; and what is taken where nothing is said.

    accuracy, balanced-accuracy, macro-f1, log-loss, auc, f1:CLASS, cost:FILE;  r2, mae, rmse

A file of costs is a table: a class in the first cell of each row (what is true), a class in each column (what is
answered), and what that costs in the cell; commas, semicolons or tabs between them. Right answers usually cost 0.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import overload

import numpy as np

from headstart.data.labels import fold
from headstart.errors import DataError
from headstart.messages import nearest_hint
from headstart.tasks.goal import GOALS, Costs, Goal
from headstart.tasks.kind import Array, Kind
from headstart.tasks.task import Task

__all__ = ["UNEVEN", "default_goal", "goal_named", "goal_of"]

UNEVEN = 3.0
"""How many times as many rows as the smallest class the largest must have for balanced accuracy to be the goal."""
_WITH = {"f1": "CLASS", "cost": "FILE"}


@overload
def goal_named(text: str | Goal) -> Goal: ...


@overload
def goal_named(text: str | Goal | None) -> Goal | None: ...


def goal_named(text: str | Goal | None) -> Goal | None:
    """The goal of a name; a goal, and None, as they are. Raises ValueError for an unknown name, with the nearest, and
    DataError for a cost file that is none."""
    if not isinstance(text, str):
        return text
    name, _, rest = text.partition(":")
    key = name.strip().lower().replace("_", "-")
    key = {"auroc": "auc", "logloss": "log-loss", "r-2": "r2"}.get(key, key)
    if key not in GOALS:
        known = [f"{each}:{_WITH[each]}" if each in _WITH else each for each in GOALS]
        raise ValueError(f"goal {text!r} is unknown{nearest_hint(key, GOALS)}; expected one of {', '.join(known)}")
    if bool(rest.strip()) != (key in _WITH):
        expected = f"{key}:{_WITH[key]}" if key in _WITH else key
        raise ValueError(f"goal {text!r}: expected {expected}")
    if key == "f1":
        return Goal("f1", fold(rest.strip()))
    if key == "cost":
        return Goal("cost", costs=_costs(Path(rest.strip())))
    return Goal(GOALS[key])


def goal_of(goal: str | Goal | None, task: Task) -> Goal:
    """The goal of a fit to this task: that of a name, or the default. Raises ValueError where the two do not go
    together."""
    counts = _counts(task)
    if goal is None:
        return default_goal(task.kind, counts)
    named = goal_named(goal)
    named.refuse_other(task.kind)
    if task.kind.exclusive:
        learnt = tuple(label for label, count in zip(task.classes, counts.tolist(), strict=True) if count)
        named.aim(learnt or task.classes)
    return named


def default_goal(kind: Kind, counts: Array) -> Goal:
    """Accuracy, or balanced accuracy where the largest class has over three times the rows of the smallest that has
    any; counts (C,). Of other kinds their headline."""
    if not kind.exclusive:
        return Goal(kind.headline)
    present = counts[counts > 0]
    return Goal("balanced_accuracy" if len(present) and present.max() > UNEVEN * present.min() else "accuracy")


def _counts(task: Task) -> Array:
    """(C,) rows of each class to learn from: what is tested has no say in the goal."""
    classes = len(task.classes)
    if task.targets is None:
        return np.zeros(classes, np.int64)
    targets = np.asarray(task.targets)
    if task.split is not None:
        split = np.asarray(task.split)
        targets = targets[split != ("test" if (split == "test").any() else "val")]
    return task.kind.counts(targets, classes)


def _costs(path: Path) -> Costs:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the costs {str(path)!r} cannot be read: {error}") from error
    what = f"the costs {str(path)!r}"
    square = [rows for rows in (_rows(text, delimiter) for delimiter in ",;\t") if _is_square(rows)]
    if not square:
        raise DataError(f"{what}: expected a first row of classes answered and a row for each true class, all as long")
    rows = square[0]
    labels, truths = tuple(rows[0][1:]), tuple(row[0] for row in rows[1:])
    if len(set(labels)) != len(labels) or set(labels) != set(truths) or len(set(truths)) != len(truths):
        raise DataError(
            f"{what}: the classes of the rows {list(truths)[:5]} are not those of the columns {list(labels)[:5]}"
        )
    by_truth = {row[0]: [_number(cell, what) for cell in row[1:]] for row in rows[1:]}
    return Costs(labels, tuple(tuple(by_truth[label]) for label in labels))


def _rows(text: str, delimiter: str) -> list[list[str]]:
    """The cells of each line that is not empty; none where the text is no such table."""
    try:
        table = list(csv.reader(text.splitlines(), delimiter=delimiter))
    except csv.Error:
        return []
    return [[fold(cell.strip()) for cell in row] for row in table if any(map(str.strip, row))]


def _is_square(rows: list[list[str]]) -> bool:
    return len(rows) > 2 and all(len(row) == len(rows) for row in rows)


def _number(cell: str, what: str) -> float:
    try:
        value = float(cell)
    except ValueError as error:
        raise DataError(f"{what}: {cell!r} is not a number") from error
    if not math.isfinite(value):
        raise DataError(f"{what}: {cell!r} is not a finite number")
    return value
