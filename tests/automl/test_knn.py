"""kNN against loops in exact fractions, and against scikit-learn."""

from __future__ import annotations

from fractions import Fraction
from importlib import import_module

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.metrics import r2_score
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.preprocessing import StandardScaler

from headstart.automl import knn
from headstart.automl.knn import knn_rows


def by_loops(rows, labels, k):
    """Of whole numbers: rows at the same distance share the votes left, classes of as many votes the answer."""
    total = Fraction(0)
    for i, row in enumerate(rows):
        distances = [sum((a - b) ** 2 for a, b in zip(row, other, strict=True)) for other in rows]
        others = [j for j in range(len(rows)) if j != i]
        farthest = sorted(distances[j] for j in others)[k - 1]
        nearer = [j for j in others if distances[j] < farthest]
        last = [j for j in others if distances[j] == farthest]
        votes = dict.fromkeys(labels, Fraction(0))
        for j in nearer:
            votes[labels[j]] += 1
        for j in last:
            votes[labels[j]] += Fraction(k - len(nearer), len(last))
        winners = [label for label in votes if votes[label] == max(votes.values())]
        total += Fraction(labels[i] in winners, len(winners))
    return float(total / len(rows))


@pytest.mark.parametrize("k", [1, 2, 5, 29])
def test_ties_are_shared(k):
    rng = np.random.default_rng(k)
    rows, labels = rng.integers(0, 3, (30, 3)), rng.integers(0, 3, 30)
    assert knn(rows, labels, neighbours=k) == pytest.approx(by_loops(rows.tolist(), labels.tolist(), k), abs=1e-12)
    assert knn(rows + 1000, labels, neighbours=k) == pytest.approx(knn(rows, labels, neighbours=k), abs=1e-12)


@pytest.mark.parametrize("name", ["wine", "breast cancer", "digits", "more columns than rows", "names"])
def test_one_neighbour_is_that_of_scikit_learn(cases, name):
    features, labels = cases[name]
    features = features + 1e-5 * np.random.default_rng(0).normal(size=features.shape)  # no rows at the same distance
    others = cross_val_predict(KNeighborsClassifier(1, algorithm="brute"), features, labels, cv=LeaveOneOut())
    assert knn(features, labels, neighbours=1) == pytest.approx(np.mean(others == labels))
    np.testing.assert_array_equal(knn_rows(features, labels, neighbours=1), others == labels)


def test_values_are_answered_by_means():
    x, y = load_diabetes(return_X_y=True)
    x = StandardScaler().fit_transform(x)
    answers = cross_val_predict(KNeighborsRegressor(7, algorithm="brute"), x, y, cv=LeaveOneOut())
    assert knn(x, y, kind="regression", neighbours=7) == pytest.approx(r2_score(y, answers), abs=1e-9)


def test_blocks_do_not_show(monkeypatch, cases):
    features, labels = cases["digits"]
    whole = knn(features, labels)
    monkeypatch.setattr(import_module("headstart.automl.knn"), "BLOCK", 7)
    assert knn(features, labels) == pytest.approx(whole, abs=1e-12)


def test_more_neighbours_than_rows_are_all_others():
    labels = np.array([0, 0, 0, 1, 1])
    # each row of the three has two of its kind against two others: a tie; each of the two has one against three
    assert knn(np.arange(5.0)[:, None], labels, neighbours=99) == pytest.approx(3 * 0.5 / 5)
    with pytest.raises(ValueError, match="neighbours=0: expected a whole number, 1 or more, such as 5"):
        knn(np.eye(3), [0, 1, 1], neighbours=0)
