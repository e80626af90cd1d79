"""Shares of classes that are answered, against scipy's chi-square of contingency tables."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION
from headstart.uncertainty.decided import Decided, counted


def test_p_is_that_of_the_contingency_table():
    decided = Decided(counts=np.array([120, 90, 60]), rows=np.array([270]))
    counts = np.array([40, 42, 18])
    shift = decided.shift(counts, 100, exclusive=True)
    assert shift.p == pytest.approx(chi2_contingency(np.stack([decided.counts, counts])).pvalue)
    assert shift.distance == pytest.approx(np.abs(counts / 100 - decided.counts / 270).sum() / 2)


def test_rare_classes_are_taken_together():
    decided = Decided(counts=np.array([200, 195, 3, 2]), rows=np.array([400]))
    table = np.array([[200, 195, 5], [48, 47, 5]])
    p = decided.shift(np.array([48, 47, 1, 4]), 100, exclusive=True).p
    assert p == pytest.approx(chi2_contingency(table).pvalue)


def test_of_several_labels_the_least_p_counts():
    decided = Decided(counts=np.array([100, 50]), rows=np.array([200]))
    shift = decided.shift(np.array([50, 80]), 100, exclusive=False)
    tables = [np.array([[100, 100], [50, 50]]), np.array([[50, 150], [80, 20]])]
    p = min(chi2_contingency(table, correction=False).pvalue for table in tables)
    assert shift.p == pytest.approx(2 * p)
    assert shift.distance == pytest.approx(0.8 - 0.25)


def test_windows_of_the_same_shares_are_flagged_about_as_often_as_stated():
    rng = np.random.default_rng(0)
    shares = np.array([0.5, 0.25, 0.15, 0.07, 0.03])
    p = []
    for _ in range(400):
        decided = Decided(counts=rng.multinomial(300, shares), rows=np.array([300]))
        p.append(decided.shift(rng.multinomial(100, shares), 100, exclusive=True).p)
    assert np.mean(np.array(p) < 0.1) == pytest.approx(0.1, abs=0.05)
    assert np.mean(np.array(p) < 0.01) < 0.03


def test_counts_of_decisions():
    assert counted(CLASSIFICATION, np.array([0, 2, 2]), 4).tolist() == [1, 0, 2, 0]
    assert counted(MULTILABEL, np.array([[1, 0], [1, 1]]), 2).tolist() == [2, 1]
    assert Decided.of(REGRESSION, np.array([1.5]), 0) is None
    assert Decided.of(CLASSIFICATION, np.zeros(0, np.int64), 3) is None


def test_one_class_alone_has_nothing_to_compare():
    assert Decided(counts=np.array([30]), rows=np.array([30])).shift(np.array([9]), 9, exclusive=True).p == 1


@pytest.mark.parametrize(
    ("counts", "rows", "words"),
    [
        (np.array([1, 2]), np.array([3]), "no whole numbers of 3 classes"),
        (np.array([1.0, 2, 3]), np.array([6]), "no whole numbers of 3 classes"),
        (np.array([1, 2, 9]), np.array([6]), "below 0 or above the 6 rows"),
        (np.array([-1, 2, 3]), np.array([6]), "below 0 or above the 6 rows"),
    ],
)
def test_arrays_that_are_nothing_of_the_kind_are_refused(counts, rows, words):
    with pytest.raises(ValueError, match=words):
        Decided.from_arrays(3, {"counts": counts, "rows": rows})
    with pytest.raises(ValueError, match="answers are counts, rows; these are rows"):
        Decided.from_arrays(3, {"rows": rows})


def test_counts_of_other_classes_are_refused():
    with pytest.raises(ValueError, match="counts of 2 classes in 3 rows: expected 3 classes"):
        Decided(counts=np.array([1, 2, 3]), rows=np.array([6])).shift(np.array([1, 2]), 3, exclusive=True)
