"""What `rank` scores candidates by: a score of features, its interval, and the paired difference of two candidates.

Scores that are a mean of what single rows add (leave-one-out, knn) are resampled; of the others groups of rows are left
out (`intervals.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from headstart.automl.decomposition import Decomposition
from headstart.automl.intervals import bootstrap, difference, jackknife
from headstart.automl.knn import knn_rows
from headstart.automl.leave_one_out import leave_one_out_rows
from headstart.automl.scores import SCORES, transferability
from headstart.evidence.intervals import Interval
from headstart.messages import nearest_hint
from headstart.tasks.kind import Kind
from headstart.tasks.task import Array

__all__ = ["DEFAULT", "RANKING", "Comparisons", "compared", "measure_in_words", "require_score"]

DEFAULT = "leave-one-out"
RANKING = tuple(name for name, score in SCORES.items() if score.takes == "features")
"""Scores of features, by which candidates can be ranked."""

Comparisons = list[tuple[str, Interval, Interval]]
"""From the best on: name, score, and how far behind the best."""


def require_score(name: str, kind: Kind) -> None:
    """ValueError where candidates cannot be ranked by it: no such score, or none of these targets."""
    if name not in RANKING:
        raise ValueError(
            f"score = {name!r}: expected one of {', '.join(RANKING)}{nearest_hint(name, RANKING, cutoff=0.4)}"
        )
    if kind not in SCORES[name].kinds:
        fitting = [other for other in RANKING if kind in SCORES[other].kinds]
        raise ValueError(
            f"score = {name!r} is defined for {' and '.join(SCORES[name].kinds)}, not for {str(kind)!r}: "
            f"use {' or '.join(fitting)}"
        )


def measure_in_words(score: str, kind: Kind) -> str:
    """What the numbers are."""
    if score == DEFAULT:
        return "log likelihood" if kind.has_classes else "R2"
    if score == "knn":
        return "knn accuracy" if kind.has_classes else "knn R2"
    return score


def compared(score: str, features: Mapping[str, Array], targets: Array, groups: Array, kind: Kind) -> Comparisons:
    """Of candidates' features (N, D) of the same rows.

    groups   (N,) labels of rows that do not answer each other; only leave-one-out heeds them in what it learns from
    """
    if score in _TERMS:
        terms = {name: _TERMS[score](values, targets, kind, groups) for name, values in features.items()}
        return _by_rows(terms, groups, _highest(score, kind))
    return _by_groups(score, features, targets, kind)


def _by_rows(terms: Mapping[str, Array], groups: Array, highest: float) -> Comparisons:
    best, *others = sorted(terms, key=lambda name: -float(terms[name].mean()))
    behind = {best: Interval(0.0, 0.0, 0.0)}
    behind |= {name: bootstrap(terms[best], terms[name], groups=groups) for name in others}
    return [(name, bootstrap(terms[name], groups=groups, highest=highest), behind[name]) for name in (best, *others)]


def _by_groups(name: str, features: Mapping[str, Array], targets: Array, kind: Kind) -> Comparisons:
    def score(values: Any, answers: Array) -> float:
        return transferability(name, values, answers, kind=kind)

    intervals = {candidate: jackknife(score, values, targets, kind=kind) for candidate, values in features.items()}
    best, *others = sorted(intervals, key=lambda candidate: -intervals[candidate].value)
    behind = {best: Interval(0.0, 0.0, 0.0)}
    behind |= {other: difference(score, features[best], features[other], targets, kind=kind) for other in others}
    return [(candidate, intervals[candidate], behind[candidate]) for candidate in (best, *others)]


def _highest(score: str, kind: Kind) -> float:
    return 0.0 if score == DEFAULT and kind.has_classes else 1.0


def _of_leave_one_out(values: Array | Decomposition, targets: Array, kind: Kind, groups: Array) -> Array:
    return leave_one_out_rows(values, targets, kind=kind, groups=groups)


def _of_knn(values: Array | Decomposition, targets: Array, kind: Kind, groups: Array) -> Array:
    return np.asarray(knn_rows(values, targets, kind=kind))


_TERMS: dict[str, Callable[[Array, Array, Kind, Array], Array]] = {DEFAULT: _of_leave_one_out, "knn": _of_knn}
