"""Every score against scikit-learn's, on all rows and on weighted rows; rows in any order score the same."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from headstart.evidence.held_out import HeldOut
from headstart.evidence.scores import LOWER_IS_BETTER, score, scores_of_sums
from headstart.evidence.tally import tally
from headstart.tasks import CLASSIFICATION, KINDS, MULTILABEL, REGRESSION
from tests.evidence.conftest import a_held, guesses, labels_held, values_held

Array = np.ndarray[Any, Any]
EXACT = 1e-12


def of_labels(y: Array, p: Array, w: Array) -> dict[str, float]:
    """scikit-learn's words for classification; classes that occur nowhere are left out, 0 / 0 is 0."""
    answer = p.argmax(axis=1)
    weighted: dict[str, Any] = {"sample_weight": w}
    macro = {"average": "macro", "zero_division": 0, **weighted}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # answers of a class that no row has
        return {
            "accuracy": metrics.accuracy_score(y, answer, **weighted),
            "balanced_accuracy": metrics.balanced_accuracy_score(y, answer, **weighted),
            "macro_precision": metrics.precision_score(y, answer, **macro),
            "macro_recall": metrics.recall_score(y, answer, **macro),
            "macro_f1": metrics.f1_score(y, answer, **macro),
            "log_loss": metrics.log_loss(y, p, labels=range(p.shape[1]), **weighted),
        }


def of_weighted(held: HeldOut, p: Array, w: Array) -> dict[str, float]:
    sums = (w @ tally(held, held.repeats(p)[0])).reshape(-1, 1)
    return {name: float(of[0]) for name, of in scores_of_sums(sums, held).items()}


def close(found: dict[str, float], expected: dict[str, float]) -> None:
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=EXACT, rel=EXACT), name


@settings(max_examples=60, deadline=None)
@given(rows=st.integers(1, 40), classes=st.integers(2, 6), skill=st.floats(0, 4), seed=st.integers(0, 999))
def test_classification_is_as_in_scikit_learn(rows: int, classes: int, skill: float, seed: int) -> None:
    held = a_held(rows, classes, seed)
    p = guesses(held.targets, classes, skill, seed)
    close(score(held, p), of_labels(held.targets, p, np.ones(rows)))
    w = np.random.default_rng(seed).integers(0, 3, rows)
    w[0] += 1
    drawn = np.repeat(np.arange(rows), w)
    close(of_weighted(held, p, w.astype(float)), of_labels(held.targets[drawn], p[drawn], np.ones(len(drawn))))


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(1, 30), classes=st.integers(1, 5), seed=st.integers(0, 999))
def test_multilabel_is_as_in_scikit_learn(rows: int, classes: int, seed: int) -> None:
    held = labels_held(rows, classes, seed)
    p = np.random.default_rng(seed).random((rows, classes))
    y, answer = held.targets, MULTILABEL.decide(p)
    found = score(held, p)
    seen = (y.sum(axis=0) + answer.sum(axis=0)) > 0
    if seen.any():
        macro: dict[str, Any] = {"average": "macro", "zero_division": 0}
        y_seen, answer_seen = y[:, seen], answer[:, seen]
        if seen.sum() == 1:  # scikit-learn takes one column for a binary problem
            y_seen, answer_seen = (np.repeat(one, 2, axis=1) for one in (y_seen, answer_seen))
        close(
            found,
            {
                "macro_precision": metrics.precision_score(y_seen, answer_seen, **macro),
                "macro_recall": metrics.recall_score(y_seen, answer_seen, **macro),
                "macro_f1": metrics.f1_score(y_seen, answer_seen, **macro),
            },
        )
        assert found["micro_f1"] == pytest.approx(metrics.f1_score(y.ravel(), answer.ravel(), zero_division=0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        each = [metrics.balanced_accuracy_score(*columns) for columns in zip(y.T, answer.T, strict=True)]
    close(
        found,
        {
            "accuracy": float((y == answer).all(axis=1).mean()),
            "balanced_accuracy": float(np.mean(each)),
            "log_loss": metrics.log_loss(y.ravel(), p.ravel(), labels=[0, 1]),
        },
    )


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(2, 40), shift=st.floats(-1e6, 1e6), seed=st.integers(0, 999))
def test_regression_is_as_in_scikit_learn(rows: int, shift: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    y = random.normal(size=rows) + shift
    p = y + random.normal(size=rows)
    found = score(HeldOut(y, REGRESSION), p)
    assert found["r2"] == pytest.approx(metrics.r2_score(y, p), abs=1e-9, rel=1e-9)
    assert found["mae"] == pytest.approx(metrics.mean_absolute_error(y, p), rel=EXACT)
    assert found["rmse"] == pytest.approx(metrics.root_mean_squared_error(y, p), rel=EXACT)


def test_r2_of_values_near_zero_is_exact() -> None:
    held = values_held(50)
    p = held.targets + np.random.default_rng(1).normal(size=50)
    assert score(held, p)["r2"] == pytest.approx(metrics.r2_score(held.targets, p), abs=EXACT)


@pytest.mark.parametrize("targets", [np.full(5, 0.1), np.array([3.0]), np.full(7, -1e9)])
def test_r2_of_targets_that_do_not_vary_is_unknown(targets: Array) -> None:
    found = score(HeldOut(targets, REGRESSION), targets + 1)
    assert np.isnan(found["r2"])
    assert found["mae"] == pytest.approx(1)


def test_a_certain_mistake_costs_no_more_than_scikit_learn_says() -> None:
    held = HeldOut(np.array([0, 1]), CLASSIFICATION, ("a", "b"))
    p = np.array([[0.0, 1.0], [0.0, 1.0]])
    assert score(held, p)["log_loss"] == pytest.approx(metrics.log_loss([0, 1], p), rel=EXACT)


@pytest.mark.parametrize("held", [a_held(30, 4), labels_held(30, 4), values_held(30)], ids=lambda held: held.kind)
def test_the_order_of_rows_and_the_number_of_equal_repeats_change_nothing(held: HeldOut) -> None:
    random = np.random.default_rng(0)
    p = {
        CLASSIFICATION: guesses(a_held(30, 4).targets, 4, 1.0),
        MULTILABEL: random.random((30, 4)),
        REGRESSION: random.normal(size=30),
    }[held.kind]
    order = random.permutation(30)
    assert tuple(score(held, p)) == held.kind.metrics
    close(score(held._replace(targets=held.targets[order]), p[order]), score(held, p))
    close(score(held, np.stack([p, p, p])), score(held, p))


def test_repeats_are_averaged() -> None:
    held = a_held(30, 3)
    p = guesses(held.targets, 3, 1.0, repeats=(2,))
    first, second = score(held, p[0]), score(held, p[1])
    close(score(held, p), {name: (first[name] + second[name]) / 2 for name in first})


def test_every_kind_has_a_headline_and_better_is_known() -> None:
    assert all({kind.headline, *kind.summary} <= set(kind.metrics) for kind in KINDS.values())
    assert not LOWER_IS_BETTER & {kind.headline for kind in KINDS.values()}


def test_real_digits() -> None:
    x, y = load_digits(return_X_y=True)
    model = LogisticRegression(max_iter=1000).fit(x[:600] / 16, y[:600])
    p = model.predict_proba(x[600:] / 16)
    held = HeldOut(y[600:], CLASSIFICATION, tuple(range(10)))
    close(score(held, p), of_labels(y[600:], p, np.ones(len(p))))
