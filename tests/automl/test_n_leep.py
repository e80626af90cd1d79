"""N-LEEP against its steps with scikit-learn, and LEEP by loops."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

from headstart.automl import decompose, leep, n_leep


@pytest.mark.parametrize("covariance", ["diag", "full"])
@pytest.mark.parametrize("name", ["iris", "wine", "breast cancer"])
def test_n_leep_is_leep_of_a_mixture(cases, name, covariance):
    features, labels = cases[name]
    axes = PCA(n_components=0.8, svd_solver="full").fit_transform(features)
    parts = decompose(features)  # the same axes, to the last bit, which k-means may go by
    rows = parts.rows[:, : axes.shape[1]]
    np.testing.assert_allclose(np.abs(rows), np.abs(axes), atol=1e-9)
    rows = rows / np.sqrt(parts.squares.sum() / len(rows))
    assert np.square(features).sum() == pytest.approx(parts.squares.sum())
    mixture = GaussianMixture(5 * len(set(labels)), covariance_type=covariance, max_iter=1000, random_state=3)
    expected = leep(mixture.fit(rows).predict_proba(rows), labels)
    assert n_leep(features, labels, covariance=covariance, seed=3) == pytest.approx(expected, abs=1e-4)


def test_classes_that_are_clusters_score_near_zero_and_noise_far_below():
    rng = np.random.default_rng(0)
    labels = np.tile(np.arange(4), 60)
    assert n_leep(10 * np.eye(4)[labels] + rng.normal(size=(240, 4)), labels) > -0.05
    assert n_leep(rng.normal(size=(240, 4)), labels) < -1.0


def test_few_rows_and_constant_features():
    labels = np.arange(10) % 5
    assert -np.log(5) <= n_leep(np.random.default_rng(0).normal(size=(10, 50)), labels) <= 0
    assert n_leep(np.ones((10, 3)), labels) == pytest.approx(-np.log(5))
    assert -np.log(5) <= n_leep(np.repeat(np.eye(2), 5, axis=0), labels) <= 0


def test_options(cases):
    features, labels = cases["iris"]
    for options, words in (
        ({"parts": 0}, "parts=0: expected a whole number, 1 or more, such as 5"),
        ({"variance": 1.2}, "variance is 1.2: expected a number from 0 to 1"),
        ({"covariance": "tied"}, "covariance='tied': expected one of 'diag', 'full', 'spherical'"),
    ):
        with pytest.raises(ValueError, match=words):
            n_leep(features, labels, **options)
