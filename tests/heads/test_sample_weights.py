"""Class weights against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_sample_weight

from headstart.heads.sample_weights import row_weights
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION

CODES = np.array([0, 0, 0, 2, 2, 5])


def test_balanced_weights_are_those_of_scikit_learn():
    np.testing.assert_allclose(row_weights(CODES, CLASSIFICATION, "balanced"), compute_sample_weight("balanced", CODES))


def test_named_weights_are_relative_and_1_where_not_named():
    weights = row_weights(CODES, CLASSIFICATION, {2: 4.0, 0: 0.5})
    np.testing.assert_allclose(weights / weights[-1], [0.5, 0.5, 0.5, 4, 4, 1])
    assert weights.mean() == pytest.approx(1)


def test_without_class_weight_every_row_counts_once():
    assert row_weights(CODES, CLASSIFICATION).tolist() == [1.0] * 6


def test_labels_are_balanced_on_average():
    labels = np.array([[1, 1], [0, 1], [0, 0], [0, 0]])
    weights = row_weights(labels, MULTILABEL, "balanced")
    expected = (np.array([2, 2 / 3, 2 / 3, 2 / 3]) + 1) / 2
    np.testing.assert_allclose(weights, expected / expected.mean())


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="needs classes, and this is a regression task"):
        row_weights(np.ones(3), REGRESSION, "balanced")
    with pytest.raises(
        ValueError, match="class_weight must be None, 'balanced' or a weight for each class, got 'even'"
    ):
        row_weights(CODES, CLASSIFICATION, "even")
    with pytest.raises(ValueError, match="weights above 0"):
        row_weights(CODES, CLASSIFICATION, {0: 0.0})
    with pytest.raises(ValueError, match="classes of a classification"):
        row_weights(np.eye(2), MULTILABEL, {0: 1.0})


def test_given_weights_count_beside_those_of_the_classes():
    given = np.array([1.0, 2, 3, 4, 0, 6])
    weights = row_weights(CODES, CLASSIFICATION, {2: 4.0}, given)
    np.testing.assert_allclose(weights[[0, 1, 2, 3, 5]] / weights[0], [1, 2, 3, 16, 6])
    assert 0 < weights[4] < 1e-5
    assert weights.mean() == pytest.approx(1)


@pytest.mark.parametrize("given", [[1.0] * 5, [1.0] * 5 + [-1], [0.0] * 6, [1.0] * 5 + [np.nan]])
def test_given_weights_that_make_no_sense_are_refused(given):
    with pytest.raises(ValueError, match=r"weights must be \(6,\) finite numbers from 0 up, not all 0"):
        row_weights(CODES, CLASSIFICATION, None, np.array(given))
