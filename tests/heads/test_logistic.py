"""Logistic regression against scikit-learn's, which minimises the same objective with C = 1 / strength."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from headstart.heads import logistic
from headstart.heads.logistic import Logistic
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION


def reference(strength, **options):
    return LogisticRegression(C=1 / strength, solver="newton-cg", tol=1e-10, max_iter=1000, **options)


def fit_one(data, strength, *, tight=1e-15, classes=10, **options):
    return Logistic(strengths=(strength,), tight=tight)(
        data.features.astype(np.float64),
        data.targets,
        kind=CLASSIFICATION,
        classes=classes,
        folds=data.folds,
        **options,
    )


@pytest.mark.parametrize("strength", [1e-4, 1e-2, 1.0])
@pytest.mark.parametrize("wide", [False, True])
def test_probabilities_equal_scikit_learn(digits, mnist, strength, wide):
    data = mnist.take(slice(0, 500, 4)) if wide else digits.take(slice(0, 300))
    fit = fit_one(data, strength)
    z = (data.features - fit.head.arrays["mean"]) / fit.head.arrays["scale"]
    expected = reference(fit.head.facts.account["strength"]).fit(z, data.targets)
    np.testing.assert_allclose(fit.head.predict(data.features), expected.predict_proba(z), atol=1e-5)
    np.testing.assert_allclose(fit.head.arrays["weight.0"], expected.coef_.T, atol=1e-5)


def test_two_classes_equal_the_binary_form_of_scikit_learn(penguins):
    data = penguins.take(penguins.targets != 2)
    fit = fit_one(data, 0.01, classes=2, class_weight="balanced")
    z = (data.features - fit.head.arrays["mean"]) / fit.head.arrays["scale"]
    expected = reference(fit.head.facts.account["strength"], class_weight="balanced")
    np.testing.assert_allclose(
        fit.head.predict(data.features), expected.fit(z, data.targets).predict_proba(z), atol=1e-6
    )


def test_balanced_classes_equal_scikit_learn(penguins):
    fit = fit_one(penguins, 0.01, classes=3, class_weight="balanced")
    z = (penguins.features - fit.head.arrays["mean"]) / fit.head.arrays["scale"]
    expected = reference(fit.head.facts.account["strength"], class_weight="balanced")
    proba = expected.fit(z, penguins.targets).predict_proba(z)
    np.testing.assert_allclose(fit.head.predict(penguins.features), proba, atol=1e-6)


def test_labels_equal_a_binary_fit_each(penguins):
    labels = np.stack([penguins.targets == 1, penguins.features[:, 3] > 4200], axis=1).astype(np.uint8)
    fit = Logistic(strengths=(0.1,), tight=1e-13)(
        penguins.features[:, :3].astype(np.float64), labels, kind=MULTILABEL, classes=2, folds=penguins.folds
    )
    z = (penguins.features[:, :3] - fit.head.arrays["mean"]) / fit.head.arrays["scale"]
    for label in range(2):
        expected = reference(fit.head.facts.account["strength"]).fit(z, labels[:, label])
        probability = fit.head.predict(penguins.features[:, :3])[:, label]
        np.testing.assert_allclose(probability, expected.predict_proba(z)[:, 1], atol=1e-6)


def test_folds_are_fitted_without_their_rows(digits):
    data = digits.take(slice(0, 200))
    fit = Logistic(strengths=(0.01,), loose=1e-12, tight=1e-12)(
        data.features.astype(np.float64), data.targets, kind=CLASSIFICATION, classes=10, folds=data.folds
    )
    z = (data.features - fit.head.arrays["mean"]) / fit.head.arrays["scale"]
    for fold in range(5):
        held = data.folds == fold
        expected = reference(fit.head.facts.account["strength"])
        expected.fit(z[~held], data.targets[~held])
        np.testing.assert_allclose(softmax(fit.out_of_fold[held], axis=1), expected.predict_proba(z[held]), atol=1e-5)


def test_a_loose_single_precision_path_chooses_and_answers_alike(mnist):
    arguments = {"kind": CLASSIFICATION, "classes": 10, "folds": mnist.folds}
    fast = Logistic()(mnist.features, mnist.targets, **arguments)
    exact = Logistic(loose=1e-11, tight=1e-13)(mnist.features.astype(np.float64), mnist.targets, **arguments)
    for strength, loss in fast.head.facts.account["losses"].items():
        assert exact.head.facts.account["losses"].get(strength, loss) == pytest.approx(loss, rel=0.02)
    assert np.mean(fast.out_of_fold.argmax(axis=1) == exact.out_of_fold.argmax(axis=1)) > 0.97


def test_the_final_fit_is_tight_in_single_precision(mnist):
    data = mnist.take(slice(0, 500, 4))
    fit = Logistic(strengths=(0.01,))(data.features, data.targets, kind=CLASSIFICATION, classes=10, folds=data.folds)
    z = (data.features - fit.head.arrays["mean"]) / fit.head.arrays["scale"]
    expected = reference(fit.head.facts.account["strength"]).fit(z, data.targets)
    assert fit.head.facts.account["gap"] <= 1e-7
    np.testing.assert_allclose(fit.head.predict(data.features), expected.predict_proba(z), atol=2e-3)


def test_folds_end_where_the_final_fit_would(digits):
    """What is said of held-out rows does not hang on how loosely the path is solved."""
    data = digits.take(slice(0, 200))
    arguments = {"kind": CLASSIFICATION, "classes": 10, "folds": data.folds}
    for strength in (1e-4, 1e-2):
        loose, tight = (
            Logistic(strengths=(strength,), loose=loose)(data.features.astype(np.float64), data.targets, **arguments)
            for loose in (1e-2, 1e-9)
        )
        np.testing.assert_allclose(
            softmax(loose.out_of_fold, axis=1), softmax(tight.out_of_fold, axis=1), atol=2e-2, rtol=0
        )


@pytest.mark.parametrize("elements", [1, 3000, 10**9])
def test_folds_of_several_threads_are_those_of_one(digits, monkeypatch, elements):
    data = digits.take(slice(0, 200))
    alone = fit_one(data, 1e-3)
    monkeypatch.setattr(logistic, "WORTH_A_THREAD", 0)
    monkeypatch.setattr(logistic, "ELEMENTS", elements)
    threads = fit_one(data, 1e-3)
    np.testing.assert_allclose(threads.out_of_fold, alone.out_of_fold, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(threads.head.arrays["weight.0"], alone.head.arrays["weight.0"], rtol=1e-4, atol=1e-6)


def test_separable_classes_stay_finite():
    features = np.repeat(np.eye(4), 6, axis=0).astype(np.float32)
    targets = np.repeat(np.arange(4), 6)
    fit = Logistic()(features, targets, kind=CLASSIFICATION, classes=4, folds=np.arange(24) % 3)
    assert (fit.out_of_fold.argmax(axis=1) == targets).all()
    assert np.isfinite(fit.head.logits(features)).all()


def test_a_hundred_classes():
    rng = np.random.default_rng(0)
    centers = rng.standard_normal((100, 32))
    targets = np.repeat(np.arange(100), 6)
    features = (centers[targets] + 0.5 * rng.standard_normal((600, 32))).astype(np.float32)
    fit = Logistic()(features, targets, kind=CLASSIFICATION, classes=100, folds=np.arange(600) % 3)
    assert np.mean(fit.out_of_fold.argmax(axis=1) == targets) > 0.9


def test_a_class_that_a_fold_never_saw_gets_small_but_real_probability():
    rng = np.random.default_rng(0)
    targets = np.array([0] * 12 + [1] * 12 + [2] * 3)
    features = (rng.standard_normal((27, 5)) + 3 * np.eye(5)[targets]).astype(np.float32)
    folds = np.r_[np.arange(24) % 3, 0, 0, 0]
    fit = Logistic()(features, targets, kind=CLASSIFICATION, classes=3, folds=folds)
    rare = softmax(fit.out_of_fold, axis=1)[folds == 0, 2]
    np.testing.assert_allclose(rare / (1 - rare), 1 / (2 * (27 - 11 + 1)))


def test_two_rows_are_enough():
    fit = Logistic()(np.eye(2, dtype=np.float32), [0, 1], kind=CLASSIFICATION, classes=2, folds=[0, 1])
    assert fit.head.predict(np.eye(2)).argmax(axis=1).tolist() == [0, 1]


def test_many_folds_are_merged(digits):
    data = digits.take(slice(0, 100))
    fit = Logistic()(data.features, data.targets, kind=CLASSIFICATION, classes=10, folds=np.arange(100))
    assert np.mean(fit.out_of_fold.argmax(axis=1) == data.targets) > 0.8


def test_values_are_refused(penguins):
    with pytest.raises(ValueError, match="logistic head answers classification and multilabel tasks, not regression"):
        Logistic()(penguins.features, penguins.features[:, 0], kind=REGRESSION, classes=1, folds=penguins.folds)
