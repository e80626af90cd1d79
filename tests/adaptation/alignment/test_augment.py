"""Feature augmentation against the printed figure and its three copies."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier
from two_tasks import make_classification_da, make_regression_da

from headstart.adaptation.alignment.augment import FeatureAugmentation
from headstart.adaptation.alignment.step import Align, Domains

DOMAINS = Domains(
    np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0, 1]), np.array([[5.0, 6.0], [7.0, 8.0]]), np.array([-1, 1]), 2
)


def test_printed_figure():
    two = make_classification_da()
    aligned = FeatureAugmentation()(two.domains(known=10))
    head = RidgeClassifier().fit(aligned.source, aligned.targets)
    assert head.score(aligned.move(two.target), two.answers) == 0.92


def test_copies():
    aligned = FeatureAugmentation()(DOMAINS)
    np.testing.assert_array_equal(aligned.source, [[1, 2, 1, 2, 0, 0], [3, 4, 3, 4, 0, 0], [7, 8, 0, 0, 7, 8]])
    np.testing.assert_array_equal(aligned.targets, [0, 1, 1])
    np.testing.assert_array_equal(aligned.move(DOMAINS.target), [[5, 6, 0, 0, 5, 6], [7, 8, 0, 0, 7, 8]])
    assert aligned.weights is None
    assert aligned.facts == {"labelled": 1}
    assert isinstance(FeatureAugmentation(), Align)


def test_weights():
    np.testing.assert_allclose(FeatureAugmentation(share=0.6)(DOMAINS).weights, [0.6, 0.6, 1.8])
    given = DOMAINS._replace(weights=np.array([0.5, 1.5]))
    np.testing.assert_allclose(FeatureAugmentation()(given).weights, [0.5, 1.5, 1])
    np.testing.assert_allclose(FeatureAugmentation(share=0.5)(given).weights, [0.375, 1.125, 1.5])


def test_regression_knows_by_nan():
    line = make_regression_da()
    aligned = FeatureAugmentation()(line.domains(known=3, classes=0))
    assert len(aligned.source) == 103
    np.testing.assert_array_equal(aligned.targets, np.concatenate([line.targets, line.answers[:3]]))
    np.testing.assert_array_equal(aligned.source[100:], aligned.move(line.target[:3]))


def test_bad_input():
    for known in (None, np.array([-1, -1])):
        with pytest.raises(ValueError, match=r"no answer of the 2 target rows is known.*target_labels=True"):
            FeatureAugmentation()(DOMAINS._replace(known=known))
    with pytest.raises(ValueError, match="no answer of the 2 target rows"):
        FeatureAugmentation()(DOMAINS._replace(known=np.full(2, np.nan), classes=0))
    for bad in (0, 1, float("nan"), 2):
        with pytest.raises(ValueError, match=r"share=.*expected.*such as 0.5"):
            FeatureAugmentation(share=bad)
