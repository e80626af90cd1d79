"""Leave-one-out against as many fits as there are rows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge as Refit
from sklearn.metrics import r2_score
from sklearn.preprocessing import StandardScaler

from headstart.automl import decompose, leave_one_out
from headstart.automl.checks import members_of
from headstart.automl.leave_one_out import leave_one_out_rows, left_out
from headstart.heads.ridge import Ridge


def by_refits(features, y, strength):
    """(N, T) answers to each row by a fit without it."""
    answers = np.empty(y.shape)
    for i in range(len(y)):
        others = np.arange(len(y)) != i
        model = Refit(alpha=strength, solver="svd").fit(features[others], y[others])
        answers[i] = model.predict(features[i : i + 1])
    return answers


def unit_of(features):
    """The mean of the squares along the axes along which rows differ."""
    squares = np.linalg.svd(features - features.mean(axis=0), compute_uv=False) ** 2
    return squares[squares > 1e-12 * squares[0]].mean()


def likelihood(answers, codes):
    """At the best temperature."""
    losses = minimize_scalar(
        lambda t: -log_softmax(answers * np.exp(t), axis=1)[np.arange(len(codes)), codes].mean(),
        bounds=(-9, 9), method="bounded", options={"xatol": 1e-9},
    )  # fmt: skip
    return -losses.fun


NAMES = ["iris", "more columns than rows", "many more columns", "a class of one row", "not standardised", "float32"]


@pytest.mark.parametrize("strength", [1e-3, 1.0, 30.0])
@pytest.mark.parametrize("name", NAMES)
def test_answers_are_those_of_fits_without_the_row(cases, name, strength):
    features = cases[name].features.astype(np.float64)
    truth = np.asarray(cases[name].labels[:, None] == np.unique(cases[name].labels), np.float64)
    strength *= unit_of(features)
    expected = by_refits(features, 2 * truth - 1, strength)
    np.testing.assert_allclose(
        next(left_out(decompose(features), truth, [strength], "classification")), expected, atol=1e-6
    )


@pytest.mark.parametrize("name", ["iris", "more columns than rows", "a class of one row"])
def test_the_score_is_the_best_likelihood_of_the_path(cases, name):
    features, labels = cases[name]
    names, codes = np.unique(labels, return_inverse=True)
    y = 2.0 * (codes[:, None] == np.arange(len(names))) - 1
    unit = unit_of(features)
    expected = max(likelihood(by_refits(features, y, s * unit), codes) for s in Ridge().strengths[::3])
    assert leave_one_out(features, labels) >= expected - 1e-6
    strengths = [s * unit for s in Ridge().strengths]
    every = left_out(decompose(features), (y + 1) / 2, strengths, "classification")
    every = max(likelihood(answers, codes) for answers in every)
    assert leave_one_out(features, labels) == pytest.approx(every, abs=1e-5)
    assert leave_one_out_rows(features, labels).mean() == leave_one_out(features, labels)


def test_values():
    x, y = load_diabetes(return_X_y=True)
    x, y = StandardScaler().fit_transform(x)[:150], y[:150]
    unit = unit_of(x)
    scores = [r2_score(y, by_refits(x, y[:, None], s * unit)) for s in Ridge().strengths]
    assert leave_one_out(x, y, kind="regression") == pytest.approx(max(scores), abs=1e-9)
    assert leave_one_out(x, y + 1e6, kind="regression") == pytest.approx(max(scores), abs=1e-6)


def test_noise_is_not_rewarded():
    rng = np.random.default_rng(0)
    labels = np.tile([0, 1, 2], 40)
    assert leave_one_out(rng.normal(size=(120, 400)), labels) < np.log(1 / 3) + 0.05
    assert leave_one_out(rng.normal(size=(120, 40)), rng.normal(size=120), kind="regression") < 0.1


def test_features_that_are_all_the_same_answer_with_the_mean_of_the_others():
    labels = np.array([0, 0, 0, 1, 1])
    [rows] = left_out(decompose(np.ones((5, 2))), np.eye(2)[labels], [1.0], "classification")
    np.testing.assert_allclose(rows[0], [0, 0], atol=1e-12)
    np.testing.assert_allclose(rows[4], [0.5, -0.5], atol=1e-12)


def test_rows_of_a_group_are_answered_without_it(cases):
    for name in ("iris", "more columns than rows"):
        features, labels = cases[name]
        groups = np.random.default_rng(0).integers(0, 15, len(labels))
        truth = np.asarray(labels[:, None] == np.unique(labels), np.float64)
        strength = 0.3 * unit_of(features)
        expected = np.empty(truth.shape)
        for group in np.unique(groups):
            model = Refit(alpha=strength, solver="svd").fit(features[groups != group], 2 * truth[groups != group] - 1)
            expected[groups == group] = model.predict(features[groups == group])
        [actual] = left_out(decompose(features), truth, [strength], "classification", members_of(groups, len(labels)))
        np.testing.assert_allclose(actual, expected, atol=1e-8)


def test_copies_do_not_answer_each_other():
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(60, 40)), rng.integers(0, 2, 60)
    twice, both = np.concatenate([rows, rows]), np.concatenate([labels, labels])
    assert leave_one_out(twice, both) > leave_one_out(rows, labels) + 0.1
    together = leave_one_out(twice, both, groups=np.tile(np.arange(60), 2))
    assert together == pytest.approx(leave_one_out(rows, labels), abs=0.02)
    alone = leave_one_out(rows, labels, groups=[f"row {row}" for row in range(60)])
    assert alone == pytest.approx(leave_one_out(rows, labels), abs=1e-9)
    with pytest.raises(ValueError, match="all 60 rows are of one group: expected two groups at least"):
        leave_one_out(rows, labels, groups=np.zeros(60))
    with pytest.raises(ValueError, match="there are 59 groups for 60 rows: expected one a row"):
        leave_one_out(rows, labels, groups=np.arange(59))
