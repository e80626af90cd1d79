"""GBC against loops over pairs of classes with full covariance matrices."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from headstart.automl import gbc

EXACT = ["iris", "wine", "breast cancer", "digits", "not standardised", "float32", "names", "unbalanced"]


def by_loops(features, labels, diagonal, least):
    total = 0.0
    gaussians = []
    for label in sorted(set(labels.tolist())):
        rows = features[labels == label]
        variances = rows.var(axis=0)
        if not diagonal:
            variances = np.full(features.shape[1], variances.mean())
        gaussians.append((rows.mean(axis=0), np.diag(np.maximum(variances, least))))
    for c, (m, S) in enumerate(gaussians):
        for k, (n, T) in enumerate(gaussians):
            if c != k:
                middle = (S + T) / 2
                distance = (m - n) @ np.linalg.solve(middle, m - n) / 8
                logs = [np.linalg.slogdet(matrix)[1] for matrix in (middle, S, T)]
                total += np.exp(-distance - (logs[0] - (logs[1] + logs[2]) / 2) / 2)
    return -total


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("covariance", ["spherical", "diagonal"])
def test_gbc_is_what_loops_give(cases, name, covariance):
    features, labels = cases[name]
    wide = features.astype(np.float64)
    expected = by_loops(wide, labels, covariance == "diagonal", 1e-4 * wide.var(axis=0).mean())
    assert gbc(features, labels, covariance=covariance) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", ["digits", "more columns than rows", "many more columns"])
def test_wide_features_are_reduced_to_their_principal_axes(cases, name):
    features, labels = cases[name]
    reduced = PCA(20).fit_transform(features)
    expected = by_loops(reduced, labels, False, 1e-4 * reduced.var(axis=0).mean())
    assert gbc(features, labels, axes=20) == pytest.approx(expected, rel=1e-6)


def test_classes_that_are_far_apart_score_zero_and_the_same_ones_every_pair():
    rows = np.random.default_rng(0).normal(size=(50, 3))
    labels = np.repeat([0, 1, 2], 50)
    assert gbc(np.concatenate([rows, rows + 1e3, rows - 1e3]), labels) == pytest.approx(0, abs=1e-12)
    assert gbc(np.concatenate([rows, rows, rows]), labels) == pytest.approx(-6)
    assert gbc(np.zeros((150, 3)), labels) == -6


def test_options():
    with pytest.raises(ValueError, match="covariance='full': expected one of 'spherical', 'diagonal'"):
        gbc(np.eye(4), [0, 0, 1, 1], covariance="full")
    with pytest.raises(ValueError, match="axes=0: expected a whole number, 1 or more, such as 64"):
        gbc(np.eye(4), [0, 0, 1, 1], axes=0)
