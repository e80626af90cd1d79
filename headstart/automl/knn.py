"""kNN: how well each row is answered by its nearest others, itself left out (Fix and Hodges, 1951).

    classes   mean_i [y_i is the class with most votes among the k rows nearest to i],  Euclidean distances
    values    R2 = 1 - sum_i (y_i - mean of the k nearest)^2 / sum_i (y_i - mean)^2

Rows at the same distance share the votes that are left, and classes with as many votes share the answer, so that
neither the order of the rows nor the names of the classes count.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headstart.automl.checks import truth_of
from headstart.automl.decomposition import Features, decompose
from headstart.checks import whole
from headstart.linalg.blas import one_thread
from headstart.linalg.moments import blocks
from headstart.tasks import CLASSIFICATION
from headstart.tasks.kind import kind_named
from headstart.tasks.task import Array

__all__ = ["knn", "knn_rows"]

BLOCK = 512
SAME = 1e-9


def knn(features: Features, targets: npt.ArrayLike, *, kind: str = CLASSIFICATION, neighbours: int = 5) -> float:
    """Accuracy (0 to 1), or R2 (at most 1), of features (N, D) and targets (N,). Higher is better.

    neighbours   k; all other rows where there are fewer
    """
    return float(knn_rows(features, targets, kind=kind, neighbours=neighbours).mean())


def knn_rows(features: Features, targets: npt.ArrayLike, *, kind: str = CLASSIFICATION, neighbours: int = 5) -> Array:
    """(N,) what each row adds: the score is their mean."""
    whole("neighbours", neighbours, 1, "5")
    parts = decompose(features)
    truth = truth_of(targets, len(parts), kind_named(kind))
    with one_thread():
        answers = _answers(parts.rows, truth, min(neighbours, len(parts) - 1))
    if not kind_named(kind).has_classes:
        return np.asarray(1 - np.square(answers - truth)[:, 0] / np.var(truth))
    first = answers >= answers.max(axis=1, keepdims=True) - SAME
    return np.asarray((first & (truth > 0)).any(axis=1) / first.sum(axis=1))


def _answers(rows: Array, truth: Array, k: int) -> Array:
    """(N, T) the mean of the truth of the k nearest others."""
    answers, norms = np.empty(truth.shape), np.square(rows).sum(axis=1)
    for part in blocks(len(rows), BLOCK):
        distances = np.maximum(norms[part, None] + norms - 2 * rows[part] @ rows.T, 0)
        itself = np.arange(len(distances)), np.arange(part.start, part.stop)
        distances[itself] = np.inf
        farthest = np.partition(distances, k - 1, axis=1)[:, k - 1 : k]
        slack = SAME * (farthest + norms[part, None] + norms.mean())
        nearer, last = distances < farthest - slack, np.abs(distances - farthest) <= slack
        left = k - nearer.sum(axis=1, keepdims=True)
        answers[part] = (nearer + last * (left / last.sum(axis=1, keepdims=True))) @ truth / k
    return answers
