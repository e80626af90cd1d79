"""Columns that tell nothing, and columns that alone tell the target.

A column leaks if it predicts the target of rows that it was not fitted on (nearly) without a mistake: cross-validated
balanced accuracy of a decision tree on a number, or of the most frequent class of each word; for regression the rank
correlation (Spearman) of a number, or the explained variance of the mean of each word. A column whose values are all
different, such as a row's name, says nothing about rows it has not seen, and is not taken for a leak.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn.metrics import r2_score
from sklearn.tree import DecisionTreeClassifier

from headstart.data.content import row_keys
from headstart.data.counters import count_of_rows
from headstart.data.quality.findings import Finding, examples_of
from headstart.data.quality.inspection import Inspection
from headstart.data.splits.groups import blocks
from headstart.data.splits.split import folds
from headstart.tasks.task import Array, Kind

__all__ = ["alone", "leak_findings"]

_SURE_CLASSES, _SURE_VALUES = 0.99, 0.999
_KNOWN = 0.9
_LEAST_ROWS = 20
_MOST_ROWS = 5000
_MOST_COLUMNS = 256


def leak_findings(inspection: Inspection) -> Iterator[Finding]:
    """Constant and leaking columns of tables and arrays, and file types that tell the class of a picture.

    Leaks are looked for in at most 5,000 training rows, drawn by content; not in arrays of more than 256 columns.
    """
    task = inspection.task
    columns = task.modality.properties(task.inputs)
    yield from _counters(inspection, columns)
    used = inspection.used
    constant = [name for name, column in columns.items() if _is_constant(column[used])]
    if constant and task.modality.has_columns:
        yield Finding("columns that are constant", len(constant), examples_of(constant), "they tell nothing", "note")
    scores = _leaks(inspection, {name: column for name, column in columns.items() if name not in constant})
    if scores:
        yield Finding(
            f"{task.modality.properties_are} that alone predict the target",
            len(scores),
            examples_of(f"{name} ({score:.3f})" for name, score in scores.items()),
            "kept; what is not known yet when predicting makes the scores too good: leave it out",
            "warning",
        )


def _counters(inspection: Inspection, columns: dict[str, pd.Series[Any]]) -> Iterator[Finding]:
    """Columns that count the rows: those that were left out, and those that were asked for as inputs."""
    task = inspection.task
    if task.counters:
        names = examples_of(item.name for item in task.counters)
        reasons = "; ".join(dict.fromkeys(item.why for item in task.counters if item.why))
        yield Finding(
            "columns that count the rows", len(names), names, f"left out: {reasons}" if reasons else "left out", "note"
        )
    if not task.modality.has_names:
        return
    counters = {name: why for name, column in columns.items() if (why := count_of_rows(column.rename(name)))}
    if counters:
        names = examples_of(f"{name} ({why})" for name, why in counters.items())
        action = "kept, as asked; what they tell holds for this file and no other: leave them out"
        yield Finding("inputs that count the rows", len(counters), names, action, "warning")


def alone(column: pd.Series[Any], targets: Array, kind: Kind, fold: Array) -> float:
    """How well a column alone predicts targets of rows it was not fitted on: balanced accuracy, rank correlation or R2.

    fold    (N,) the fold of each row

    For a number that cannot even tell the classes of the rows it was fitted on it is the score on those.
    """
    number = _as_number(column)
    if kind.exclusive:
        classes = np.eye(int(targets.max()) + 1)[targets]
        if number is not None:
            return _by_tree(number, targets, fold)
        return _balanced_accuracy(targets, _by_word(column, classes, fold).argmax(axis=1))
    if number is None:
        return float(r2_score(targets, _by_word(column, targets[:, None], fold)[:, 0]))
    finite = np.isfinite(number)
    varied = min(len(np.unique(number[finite])), len(np.unique(targets[finite]))) > 1
    return (
        float(abs(spearmanr(number[finite], targets[finite]).statistic)) if varied and finite.mean() >= _KNOWN else 0.0
    )


def _leaks(inspection: Inspection, columns: dict[str, pd.Series[Any]]) -> dict[str, float]:
    """Columns that leak, the surest first, with their score."""
    task, keys = inspection.task, inspection.keys
    rows = np.array(sorted(np.flatnonzero(inspection.used & ~inspection.given_test), key=keys.__getitem__)[:_MOST_ROWS])
    if task.targets is None or task.kind.several or len(rows) < _LEAST_ROWS or len(columns) > _MOST_COLUMNS:
        return {}
    drawn, targets = [keys[row] for row in rows], task.targets[rows]
    block = blocks(len(rows), drawn)
    if len(np.unique(targets)) < 2 or block.max() < 1:
        return {}
    fold = folds(targets, task.kind, block, drawn)
    scores = {name: alone(column.iloc[rows], targets, task.kind, fold) for name, column in columns.items()}
    surest_first = sorted(scores.items(), key=lambda item: -item[1])
    sure = _SURE_CLASSES if task.kind.exclusive else _SURE_VALUES
    return {name: score for name, score in surest_first if score >= sure}


def _as_number(column: pd.Series[Any]) -> Array | None:
    """float64 (N,), or None for words."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return column.rank(method="dense").to_numpy(np.float64)
    if pd.api.types.is_bool_dtype(column.dtype) or pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy(np.float64, na_value=np.nan)
    return None


def _codes(column: pd.Series[Any]) -> Array:
    return blocks(len(column), row_keys(column.to_frame()))


def _is_constant(column: pd.Series[Any]) -> bool:
    number = _as_number(column)
    codes = _codes(column) if number is None else pd.factorize(number)[0]
    return len(np.unique(codes)) < 2


def _by_word(column: pd.Series[Any], values: Array, fold: Array) -> Array:
    """(N, C) for each row the mean of `values` (N, C) over the rows of other folds with the same word."""
    code = _codes(column)
    means = np.empty(values.shape)
    for number in np.unique(fold):
        fitted, held_out = fold != number, fold == number
        count = np.bincount(code[fitted], minlength=code.max() + 1)[:, None]
        total = np.zeros((len(count), values.shape[1]))
        np.add.at(total, code[fitted], values[fitted])
        mean = np.where(count > 0, total / np.maximum(count, 1), values[fitted].mean(axis=0))
        means[held_out] = mean[code[held_out]]
    return means


def _by_tree(number: Array, targets: Array, fold: Array) -> float:
    """Of classes with fewer than three rows on average 0: what is learnt of one row cannot be tested on others."""
    if 3 * len(np.unique(targets)) > len(targets):
        return 0.0
    ranks = pd.Series(number).rank(method="dense").to_numpy()[:, None]
    tree = DecisionTreeClassifier(max_leaf_nodes=2 * len(np.unique(targets)), random_state=0)
    fitted = _balanced_accuracy(targets, tree.fit(ranks, targets).predict(ranks))
    if fitted < _SURE_CLASSES:
        return fitted
    predicted = np.empty_like(targets)
    for held_out in (fold == number for number in np.unique(fold)):
        predicted[held_out] = tree.fit(ranks[~held_out], targets[~held_out]).predict(ranks[held_out])
    return _balanced_accuracy(targets, predicted)


def _balanced_accuracy(targets: Array, predicted: Array) -> float:
    of_class = np.bincount(targets)
    right = np.bincount(targets[targets == predicted], minlength=len(of_class))
    return float(np.mean(right[of_class > 0] / of_class[of_class > 0]))
