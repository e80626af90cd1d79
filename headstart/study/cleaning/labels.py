"""Likely errors of targets, by what a model says of each row that a fit without it was asked.

classes       confident learning (Northcutt, Jiang and Chuang, 2021) by cleanlab: a row is suspected where so many of
              its class are expected to be of others, and it is among the least likely of these
labels        the same for each label against the rest
values        |r - median(r)| > `FAR` x 1.4826 median |r - median(r)|, r the residuals
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from headstart.methods.uncertainty import Calibration
from headstart.study.cleaning.suggestions import Suggestion
from headstart.tasks.task import Array, Task

__all__ = ["FAR", "FEWEST", "ambiguous_classes", "label_errors", "require_cleanlab"]

FAR = 5.0
"""Robust standard deviations from which on a value is suspected."""
FEWEST = 3
"""Rows of a class below which its rows are not suspected: a fit without one has hardly seen the class."""
_AMBIGUOUS, _ENOUGH = 0.75, 5
_TO_SIGMA, _TINY, _TWO = 1.4826, 1e-12, 2


def require_cleanlab() -> Any:
    """The library. Raises ImportError where it is not installed."""
    try:
        import cleanlab.filter
        import cleanlab.multilabel_classification.filter
    except ImportError as error:
        raise ImportError("label errors need cleanlab: pip install 'headstart[clean]'") from error
    return cleanlab


def label_errors(task: Task, calibration: Calibration) -> Iterator[Suggestion]:
    """Of rows of a task and what is said of them out of fold, the surest first."""
    if not task.kind.has_classes:
        yield from _values(task, calibration)
    elif task.kind.several:
        yield from _of_labels(task, calibration)
    else:
        yield from _of_classes(task, calibration)


def _of_classes(task: Task, calibration: Calibration) -> Iterator[Suggestion]:
    p, y = calibration.predictions, calibration.targets
    enough = np.flatnonzero(np.bincount(y, minlength=p.shape[1]) >= FEWEST)
    rows = np.flatnonzero(np.isin(y, enough))
    if len(enough) < _TWO:
        return
    among = p[np.ix_(rows, enough)]
    among /= np.maximum(among.sum(axis=1, keepdims=True), _TINY)
    given = np.searchsorted(enough, y[rows])
    suspected = require_cleanlab().filter.find_label_issues(given, among, filter_by="both", n_jobs=1)
    best = p.argmax(axis=1)
    rows = rows[suspected & (best[rows] != y[rows])]
    gap = p[rows, best[rows]] - p[rows, y[rows]]
    for row in rows[np.argsort(-gap, kind="stable")].tolist():
        code = int(best[row])
        yield _suggestion(task, row, task.classes[y[row]], task.classes[code], float(p[row, code]))


def _of_labels(task: Task, calibration: Calibration) -> Iterator[Suggestion]:
    p, y = calibration.predictions, calibration.targets
    given = [np.flatnonzero(row).tolist() for row in y]
    find = require_cleanlab().multilabel_classification.filter.find_label_issues
    suspected = find(given, p, filter_by="both", n_jobs=1) & ((p > 0.5) != (y > 0)).any(axis=1)
    doubt = np.where(y > 0, 1 - p, p).max(axis=1)
    rows = np.flatnonzero(suspected)
    for row in rows[np.argsort(-doubt[rows], kind="stable")].tolist():
        names = [[task.classes[code] for code in np.flatnonzero(of)] for of in (y[row] > 0, p[row] > 0.5)]
        yield _suggestion(task, row, names[0], names[1], float(doubt[row]))


def _values(task: Task, calibration: Calibration) -> Iterator[Suggestion]:
    residual = calibration.targets - calibration.predictions
    off = np.abs(residual - np.median(residual))
    sigma = _TO_SIGMA * float(np.median(off))
    rows = np.flatnonzero(off > FAR * sigma) if sigma > 0 else np.zeros(0, int)
    for row in rows[np.argsort(-off[rows], kind="stable")].tolist():
        given, rather = float(calibration.targets[row]), float(calibration.predictions[row])
        yield _suggestion(task, row, given, rather, float(off[row] / sigma))._replace(problem="value error")


def _suggestion(task: Task, row: int, label: Any, suggestion: Any, score: float) -> Suggestion:
    return Suggestion(int(task.positions[row]), str(task.names[row]), "label error", label, suggestion, score)


def ambiguous_classes(task: Task, calibration: Calibration) -> Iterator[Suggestion]:
    """Pairs of classes, of five rows or more each, of whose rows p_a / (p_a + p_b) tells the one from the other with an
    AUROC below .75; the most alike first. Pairs that are never taken for each other are not asked."""
    if not task.kind.exclusive:
        return
    p, y = calibration.predictions, calibration.targets
    rows = np.bincount(y, minlength=p.shape[1])
    pairs = zip(y.tolist(), p.argmax(axis=1).tolist(), strict=True)
    wrong = {(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]}
    alike: list[tuple[float, int, int]] = []
    for first, second in sorted(wrong):
        if min(rows[first], rows[second]) >= _ENOUGH:
            of_both = np.flatnonzero((y == first) | (y == second))
            odds = np.log(np.maximum(p[of_both], _TINY))
            score = _area(odds[:, first] - odds[:, second], y[of_both] == first)
            if score < _AMBIGUOUS:
                alike.append((score, first, second))
    for score, first, second in sorted(alike):
        yield Suggestion(None, "", "ambiguous classes", task.classes[first], task.classes[second], score)


def _area(scores: Array, positive: Array) -> float:
    """AUROC by ranks (Mann and Whitney, 1947)."""
    from scipy.stats import rankdata

    n = int(positive.sum())
    return float((rankdata(scores)[positive].sum() - n * (n + 1) / 2) / (n * (len(scores) - n)))
