"""Rows that are strange among the others, that repeat another, or that stand on both sides of a split."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from headstart.data.quality.findings import Report
from headstart.data.splits.groups import blocks, copies_of_held
from headstart.features.feature_set import FeatureSet
from headstart.study.cleaning.suggestions import Suggestion
from headstart.tasks.task import Task
from headstart.uncertainty.out_of_distribution import Placed, own_distances

__all__ = ["outliers", "repeated"]

_FENCE = 3.5
"""How many times as far above the median as the third quartile."""
_NEAREST = 20
"""Which neighbour counts: fewer strange rows than that, alike among themselves, are still strange."""


def outliers(task: Task, rows: Placed) -> Iterator[Suggestion]:
    """Rows much farther from their neighbours than others are from theirs, the farthest first.

    log d > median + 3.5 (third quartile - median)        d the distance to the 20th nearest row

    A fence as Tukey's (1977), on logarithms and of the upper half, as distances are skewed.
    """
    distances = own_distances(rows, _NEAREST)
    if distances is None or not (distances > 0).any():
        return
    logs = np.log(np.maximum(distances, distances[distances > 0].min()))
    median, third = np.quantile(logs, [0.5, 0.75])
    far = np.flatnonzero(logs > median + _FENCE * (third - median))
    for row in far[np.argsort(-logs[far], kind="stable")].tolist():
        times = float(np.exp((logs[row] - median) / 2))  # distances are squared
        yield Suggestion(_place(task, row), _name(task, row), "outlier", _label(task, row), None, times)


def repeated(feature_set: FeatureSet, report: Report) -> Iterator[Suggestion]:
    """Training rows that repeat tested ones, then of rows that repeat each other all but the first."""
    task, n = feature_set.task, len(feature_set)
    same = blocks(n, feature_set.keys, report.near_pairs)
    split = None if task.split is None else np.asarray(task.split)
    gone: set[int] = set()
    if split is not None:
        gone = set(copies_of_held(same, split).tolist())
        for row in sorted(gone):
            others = np.flatnonzero((same == same[row]) & (split != split[row]) & (split != "train"))
            yield _pair(task, row, int(others[0]), "leak")
    first: dict[int, int] = {}
    for row in range(n):
        if row not in gone and first.setdefault(int(same[row]), row) != row:
            yield _pair(task, row, first[int(same[row])], "duplicate")


def _pair(task: Task, row: int, other: int, problem: Any) -> Suggestion:
    labels = _label(task, row), _label(task, other)
    return Suggestion(
        _place(task, row), _name(task, row), problem, *labels, None, _place(task, other), _name(task, other)
    )


def _place(task: Task, row: int) -> int:
    return int(task.positions[row])


def _name(task: Task, row: int) -> str:
    return str(task.names[row]) if len(task.names) else f"row {row}"


def _label(task: Task, row: int) -> Any:
    """As it is given; None where it is not known."""
    if task.targets is None:
        return None
    return task.kind.in_words(task.targets[row], task.classes)
