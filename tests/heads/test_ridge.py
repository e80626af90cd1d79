"""Ridge against refits by the textbook's normal equations."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge as Reference

from headstart.heads.ridge import Ridge
from headstart.heads.sample_weights import row_weights
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION


def brute(features, coded, weights, strength, folds):
    """Leave-fold-out predictions by refitting [Z, 1] with an unpenalised intercept, one fold at a time."""
    mean = np.average(features, axis=0, weights=weights)
    z = features - mean
    z = np.concatenate([z / np.sqrt(np.average(z**2, axis=0, weights=weights)), np.ones((len(z), 1))], axis=1)
    penalty = np.diag([strength] * features.shape[1] + [0.0])
    out = np.empty_like(coded)
    for fold in np.unique(folds):
        a, w = z[folds != fold], weights[folds != fold, None]
        beta = np.linalg.solve(a.T @ (w * a) + penalty, a.T @ (w * coded[folds != fold]))
        out[folds == fold] = z[folds == fold] @ beta
    return out


def draw(n, d, seed=0):
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((n, d)) @ np.diag(1.1 ** -np.arange(d)) + rng.standard_normal(d)
    codes = np.concatenate([np.arange(3), rng.choice(3, n - 3, p=(0.6, 0.3, 0.1))])
    return features, codes


FOLDS = {
    "each row": lambda n: np.arange(n),
    "five": lambda n: np.arange(n) % 5,
    "pairs and single rows": lambda n: np.minimum(np.arange(n) // 2, n // 3),
    "two unequal": lambda n: (np.arange(n) > n // 4).astype(int),
}


@pytest.mark.parametrize("folds", FOLDS)
@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.parametrize(("n", "d"), [(24, 40), (60, 6), (30, 30)])
@pytest.mark.parametrize("strength", [1e-3, 1.0])
def test_held_out_classes_equal_refits(n, d, class_weight, folds, strength):
    features, codes = draw(n, d)
    held = FOLDS[folds](n)
    fit = Ridge(strengths=(strength,))(
        features, codes, kind=CLASSIFICATION, classes=3, folds=held, class_weight=class_weight
    )
    weights = row_weights(codes, CLASSIFICATION, class_weight)
    expected = brute(features, 2.0 * np.eye(3)[codes] - 1, weights, fit.head.facts.account["strength"], held)
    np.testing.assert_allclose(fit.out_of_fold, expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize(("n", "d"), [(20, 35), (50, 4)])
def test_held_out_values_equal_refits_far_from_zero(n, d):
    features, _ = draw(n, d)
    values = features[:, 0] + np.random.default_rng(1).standard_normal(n)
    fit = Ridge(strengths=(0.1,))(features, 2.0**20 + values, kind=REGRESSION, classes=1, folds=np.arange(n))
    expected = brute(features, values[:, None], np.ones(n), fit.head.facts.account["strength"], np.arange(n))
    np.testing.assert_allclose(fit.out_of_fold - 2.0**20, expected, rtol=0, atol=1e-8)


def test_labels_are_fitted_one_by_one():
    features, _ = draw(40, 8)
    labels = (features[:, :3] + np.random.default_rng(0).standard_normal((40, 3)) > features[:, :3].mean(axis=0)) * 1
    folds = np.arange(40) % 4
    fit = Ridge(strengths=(1.0,))(features, labels, kind=MULTILABEL, classes=3, folds=folds)
    expected = brute(features, 2.0 * labels - 1, np.ones(40), fit.head.facts.account["strength"], folds)
    np.testing.assert_allclose(fit.out_of_fold, expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize(("n", "d"), [(24, 40), (60, 6)])
def test_the_head_equals_scikit_learn(n, d):
    features, codes = draw(n, d)
    values = features @ np.arange(d) + codes
    fit = Ridge(strengths=(0.3,))(features, values, kind=REGRESSION, classes=1, folds=np.arange(n) % 5)
    z = (features - features.mean(axis=0)) / features.std(axis=0)
    expected = Reference(alpha=fit.head.facts.account["strength"]).fit(z, values).predict(z)
    np.testing.assert_allclose(fit.head.predict(features), expected, rtol=1e-6)


@pytest.mark.parametrize("kind", [CLASSIFICATION, REGRESSION])
def test_the_walk_finds_what_the_whole_grid_would(digits, kind):
    data = digits.take(slice(0, 200))
    targets = data.targets if kind == CLASSIFICATION else data.targets.astype(float)
    arguments = {"kind": kind, "classes": 10 if kind == CLASSIFICATION else 1, "folds": data.folds}
    chosen = Ridge()(data.features, targets, **arguments).head.facts.account
    losses = {}
    for strength in Ridge().strengths[6:]:
        account = Ridge(strengths=(strength,))(data.features, targets, **arguments).head.facts.account
        losses[account["relative_strength"]] = next(iter(account["losses"].values()))
    lowest = min(losses.values())
    assert lowest <= losses[chosen["relative_strength"]] <= lowest * (1 + Ridge().gain)


def test_single_precision_agrees_with_double(mnist):
    arguments = {"kind": CLASSIFICATION, "classes": 10, "folds": mnist.folds}
    single = Ridge()(mnist.features, mnist.targets, **arguments)
    double = Ridge()(mnist.features.astype(np.float64), mnist.targets, **arguments)
    assert single.head.facts.account["relative_strength"] == double.head.facts.account["relative_strength"]
    np.testing.assert_allclose(single.out_of_fold, double.out_of_fold, atol=1e-5)


def test_body_mass_of_penguins_is_predicted(penguins):
    measures, mass = penguins.features[:, :3], penguins.features[:, 3].astype(np.float64)
    fit = Ridge()(measures, mass, kind=REGRESSION, classes=1, folds=penguins.folds)
    assert 1 - np.var(mass - fit.out_of_fold[:, 0]) / np.var(mass) > 0.75


def test_values_that_never_change_are_predicted_exactly():
    features, _ = draw(20, 5)
    fit = Ridge()(features, np.full(20, 1234567.875), kind=REGRESSION, classes=1, folds=np.arange(20) % 4)
    assert (fit.head.predict(features) == 1234567.875).all()


def test_collinear_and_hugely_scaled_features_are_no_trouble():
    features, codes = draw(50, 6)
    features = np.concatenate([features * 1e30, features * 1e-30, features], axis=1).astype(np.float32)
    fit = Ridge()(features, codes, kind=CLASSIFICATION, classes=3, folds=np.arange(50) % 5)
    assert np.isfinite(fit.out_of_fold).all()
    assert np.isfinite(fit.head.logits(features)).all()
