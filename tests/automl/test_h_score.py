"""H-scores against explicit covariances."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf

from headstart.automl import h_score, shrunk_h_score


def class_means(features, labels):
    """(N, D) the mean of its class for each row."""
    means = np.zeros(features.shape)
    for label in set(labels.tolist()):
        means[labels == label] = features[labels == label].mean(axis=0)
    return means


def test_h_score_is_a_trace(case):
    features, labels = np.asarray(case.features, np.float64), case.labels
    features = features - features.mean(axis=0)
    inverse = np.linalg.pinv(np.cov(features.T), rcond=1e-10, hermitian=True)
    expected = np.trace(inverse @ np.cov(class_means(features, labels).T))
    assert h_score(case.features, labels) == pytest.approx(expected, rel=1e-6)
    assert 0 <= h_score(case.features, labels) <= len(set(labels.tolist())) - 1 + 1e-9


def test_the_shrunk_form_is_a_trace_with_the_covariance_of_ledoit_and_wolf(case):
    features, labels = np.asarray(case.features, np.float64), case.labels
    features = features - features.mean(axis=0)
    shrunk = LedoitWolf().fit(features)
    between = np.cov(class_means(features, labels).T)
    expected = (1 - shrunk.shrinkage_) * np.trace(np.linalg.solve(shrunk.covariance_, between))
    assert shrunk_h_score(case.features, labels) == pytest.approx(expected, rel=1e-6)


def test_random_features_score_about_nothing():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 4000)
    assert h_score(rng.normal(size=(4000, 5)), labels) == pytest.approx(2 * 5 / 4000, abs=0.004)
    assert shrunk_h_score(rng.normal(size=(60, 500)), labels[:60]) < 0.7
    assert h_score(rng.normal(size=(60, 500)), labels[:60]) == pytest.approx(2)


def test_h_score_is_the_same_for_every_invertible_map(cases):
    features, labels = cases["wine"]
    mapped = features @ np.random.default_rng(0).normal(size=(13, 13)) + 5
    assert h_score(mapped, labels) == pytest.approx(h_score(features, labels), rel=1e-8)
