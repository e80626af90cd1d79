"""The two pairs of tasks on which ADAPT prints its figures, rebuilt from NumPy and scikit-learn."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from sklearn.datasets import make_classification

from headstart.adaptation.alignment.step import Domains
from headstart.tasks.task import Array


class TwoTasks(NamedTuple):
    """Features and answers of the source, then of the target."""

    source: Array
    targets: Array
    target: Array
    answers: Array

    def domains(self, *, known: int = 0, classes: int = 2) -> Domains:
        """As a step gets them; the answers of the first `known` target rows may be used. Regression: classes=0."""
        missing = -1 if classes else np.nan
        labels = np.where(np.arange(len(self.target)) < known, self.answers, missing) if known else None
        return Domains(self.source, self.targets, self.target, labels, classes)


def make_classification_da(rows: int = 100, seed: int = 2) -> TwoTasks:
    """Two classes in the unit square: the target's clusters are drawn anew, and named 1 (first half) and 0 (second)."""
    random = np.random.RandomState(seed)
    clusters = {"n_informative": 2, "n_redundant": 0, "n_repeated": 0, "n_clusters_per_class": 1, "shuffle": False}
    source, targets = make_classification(rows, 2, **clusters, random_state=random)
    target, _ = make_classification(rows, 2, **clusters, random_state=random)
    answers = (np.arange(rows) < rows // 2).astype(int)
    return TwoTasks(_unit(source), targets, _unit(target + np.array([1, 0.5])), answers)


def make_regression_da(rows: int = 100, seed: int = 0) -> TwoTasks:
    """One feature: x + .1 x^5 around 0 in the source, x + .1 (x - 2)^4 to its right in the target, with noise."""
    random = np.random.RandomState(seed)
    source = random.uniform(size=(rows, 1)) * 4 - 2
    target = random.uniform(size=(rows, 1)) * 2.5 + 2
    targets = source[:, 0] + 0.1 * source[:, 0] ** 5 + random.randn(rows) * 0.2 + 1
    answers = target[:, 0] + 0.1 * (target[:, 0] - 2) ** 4 + random.randn(rows) * 0.4 + 1
    answers = (answers - targets.mean()) / (2 * targets.std())
    targets = (targets - targets.mean()) / (2 * targets.std())
    target, source = (target - source.mean()) / source.std(), (source - source.mean()) / source.std()
    both = np.concatenate([source, target])
    source, target = ((rows_ - both.mean()) / both.std() / 3 for rows_ in (source, target))
    return TwoTasks(source, targets, target, answers)


def _unit(rows: Array) -> Array:
    """Each column between 0 and 1."""
    low = rows.min(0)
    return (rows - low) / (rows - low).max(0)
