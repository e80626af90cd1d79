"""LogME against the evidence itself, maximised over both precisions with dense matrices."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler

from headstart.automl import logme
from headstart.tasks import REGRESSION

FAR = 40.0
"""Beyond it on either side no precision is tried: where columns outnumber rows the evidence rises to a limit as both
grow without bound, and a search that follows it ends in numbers that are none."""


def log_evidence(log_precisions, x, y):
    """log p(y | X, a, b) by its definition: y ~ N(0, I / b + X X' / a)."""
    a, b = np.exp(np.clip(log_precisions, -FAR, FAR))
    covariance = np.eye(len(x)) / b + x @ x.T / a
    distance = y @ np.linalg.solve(covariance, y)
    return -(len(y) * np.log(2 * np.pi) + np.linalg.slogdet(covariance)[1] + distance) / 2


def turned_log_evidence(log_precisions, values, y):
    """The same where X X' is diagonal (N,): a rotation of the rows, under which the density of y is what it was."""
    a, b = np.exp(np.clip(log_precisions, -FAR, FAR))
    variances = 1 / b + values / a
    return -(len(y) * np.log(2 * np.pi) + np.log(variances).sum() + (y**2 / variances).sum()) / 2


def turned(x, y):
    """The diagonal of X X' (N,) after a rotation of the rows, and y after it."""
    values, vectors = np.linalg.eigh(x @ x.T)
    return np.maximum(values, 0), vectors.T @ y


def greatest(x, y):
    """Over a and b, from several starts."""
    starts = [(a, b) for a in (-6.0, 0.0, 6.0) for b in (-4.0, 2.0)]
    options = {"xatol": 1e-9, "fatol": 1e-9, "maxiter": 4000}
    case = turned(x, y)
    searches = [
        minimize(lambda t: -turned_log_evidence(t, *case), at, method="Nelder-Mead", options=options) for at in starts
    ]
    return max(-search.fun for search in searches) / len(y)


@pytest.mark.parametrize("at", [(0.0, 0.0), (3.0, -2.0), (-1.0, 4.0)])
def test_the_reference_is_the_density_by_its_definition(cases, at):
    for name in ("iris", "more columns than rows"):
        features, labels = cases[name]
        x, y = features.astype(np.float64), (labels == labels[0]).astype(float)
        assert turned_log_evidence(at, *turned(x, y)) == pytest.approx(log_evidence(at, x, y), rel=1e-8)


def direct(x, labels):
    return np.mean([greatest(x.astype(np.float64), (labels == label).astype(float)) for label in np.unique(labels)])


def few(features, labels):
    """At most 30 columns; of 45 rows 20, so that they stay wide."""
    return (features[:20, :30], labels[:20]) if len(labels) < 50 else (features, labels)


@pytest.mark.parametrize(
    "name",
    ["iris", "wine", "more columns than rows", "a class of one row", "unbalanced", "float32", "repeated columns"],
)
def test_logme_is_the_greatest_evidence(cases, name):
    features, labels = few(*cases[name])
    assert logme(features, labels) == pytest.approx(direct(features, labels), abs=1e-7)


@pytest.mark.parametrize("shift", [200.0, 0.5, -3.0])
def test_the_mean_of_the_features_is_part_of_the_model(cases, shift):
    for name in ("iris", "more columns than rows"):
        features, labels = few(*cases[name])
        moved = features + shift * np.linspace(-1, 1, features.shape[1])
        assert logme(moved, labels) == pytest.approx(direct(moved, labels), abs=1e-6)


def test_regression():
    x, y = load_diabetes(return_X_y=True)
    x = StandardScaler().fit_transform(x)
    assert logme(x, y, kind=REGRESSION) == pytest.approx(greatest(x, y), abs=1e-7)
    centred = y - y.mean()
    assert logme(x, centred, kind="regression") == pytest.approx(greatest(x, centred), abs=1e-7)


def test_the_smaller_gram_matrix_gives_the_same_evidence(monkeypatch, cases):
    for name in ("wine", "more columns than rows", "many more columns", "not standardised"):
        features, labels = cases[name]
        by_values = logme(features, labels)
        with monkeypatch.context() as patch:
            patch.setattr("headstart.automl.decomposition.DIRECT", 0)
            assert logme(features, labels) == pytest.approx(by_values, abs=1e-8)


def test_a_huge_mean_costs_what_an_intercept_costs(cases):
    """From some size on an offset ten times as large takes log(10) / N off, for the one weight that carries it."""
    features, labels = cases["wine"]
    fall = logme(features + 1e6, labels) - logme(features + 1e7, labels)
    assert fall == pytest.approx(np.log(10) / len(labels), rel=1e-3)


def test_good_features_beat_random_ones_also_with_few_rows(cases):
    rng = np.random.default_rng(0)
    for name in ("iris", "wine", "digits", "more columns than rows", "many more columns"):
        features, labels = cases[name]
        assert logme(features, labels) > logme(rng.normal(size=features.shape), labels) + 0.01


def test_targets_that_the_features_explain_exactly_have_a_finite_score(cases):
    features, _ = cases["wine"]
    exact = logme(features, features @ np.arange(1.0, 14.0), kind=REGRESSION)
    assert np.isfinite(exact)
    assert exact > logme(features, features @ np.arange(1.0, 14.0) + np.sin(np.arange(178)), kind=REGRESSION) + 5


def test_features_that_say_nothing_leave_the_evidence_of_noise(cases):
    _, labels = cases["wine"]
    shares = np.bincount(labels) / len(labels)
    expected = np.mean(-0.5 * (np.log(2 * np.pi * shares) + 1))
    assert logme(np.zeros((len(labels), 3)), labels) == pytest.approx(expected, abs=1e-9)
