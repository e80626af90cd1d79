"""AUROC and average precision against scikit-learn's, their resamples against scoring anew, and what the page says."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from headstart.evidence.bootstrap import bootstrap, unit_weights
from headstart.evidence.evidence import Evidence, of_answers
from headstart.evidence.held_out import HeldOut
from headstart.evidence.intervals import interval
from headstart.evidence.ranking import ranking
from headstart.evidence.scores import score
from headstart.tasks import CLASSIFICATION, MULTILABEL
from tests.evidence.conftest import a_held, guesses, labels_held

Array = np.ndarray[Any, Any]


def by_class(truth: Array, p: Array, measure: Any, weights: Array | None = None) -> list[float]:
    """scikit-learn's, for each class that has rows and others."""
    columns = [c for c in range(p.shape[1]) if 0 < truth[:, c].sum() < len(truth)]
    return [float(measure(truth[:, c], p[:, c], sample_weight=weights)) for c in columns]


@settings(max_examples=80, deadline=None)
@given(
    rows=st.integers(2, 40),
    classes=st.integers(2, 6),
    skill=st.floats(0, 4),
    digits=st.integers(1, 3),
    seed=st.integers(0, 999),
)
def test_both_are_as_in_scikit_learn(rows: int, classes: int, skill: float, digits: int, seed: int) -> None:
    held = a_held(rows, classes, seed)
    p = np.round(guesses(held.targets, classes, skill, seed), digits)  # many rank alike
    p[:, -1] += 1 - p.sum(axis=1)
    p = np.abs(p) / np.abs(p).sum(axis=1, keepdims=True)
    truth = held.targets[:, None] == np.arange(classes)
    found = score(held, p)
    areas, precisions = by_class(truth, p, roc_auc_score), by_class(truth, p, average_precision_score)
    if classes == 2 and len(precisions) == 2:
        precisions = [precisions[int(truth[:, 1].sum() <= truth[:, 0].sum())]]
    assert found["auroc"] == pytest.approx(np.mean(areas) if areas else np.nan, abs=1e-12, nan_ok=True)
    expected = np.mean(precisions) if precisions else np.nan
    assert found["average_precision"] == pytest.approx(expected, abs=1e-12, nan_ok=True)


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(2, 30), labels=st.integers(1, 5), seed=st.integers(0, 999))
def test_of_several_labels_a_row(rows: int, labels: int, seed: int) -> None:
    held = labels_held(rows, labels, seed)
    p = np.random.default_rng(seed).random((rows, labels))
    found, areas = score(held, p), by_class(held.targets, p, roc_auc_score)
    precisions = by_class(held.targets, p, average_precision_score)
    assert found["auroc"] == pytest.approx(np.mean(areas) if areas else np.nan, nan_ok=True)
    assert found["average_precision"] == pytest.approx(np.mean(precisions) if precisions else np.nan, nan_ok=True)


@pytest.mark.parametrize("measure", [roc_auc_score, average_precision_score])
def test_the_derivative_is_that_of_the_weighted_score(measure: Any) -> None:
    held = a_held(60, 3, 4)
    p = np.round(guesses(held.targets, 3, 1.0, 4), 2)
    truth = held.targets[:, None] == np.arange(3)
    found = ranking(held, p)
    values = found.auroc if measure is roc_auc_score else found.precision
    plain, step = np.mean(by_class(truth, p, measure)), 1e-6
    for row in range(0, 60, 7):
        weights = np.ones(60)
        weights[row] += step
        slope = (np.mean(by_class(truth, p, measure, weights)) - plain) / step
        assert (values[row] - plain) / 60 == pytest.approx(slope, abs=1e-4)


@pytest.mark.parametrize("name", ["auroc", "average_precision"])
def test_resamples_spread_as_those_that_are_scored_anew(name: str) -> None:
    measure = {"auroc": roc_auc_score, "average_precision": average_precision_score}[name]
    targets = (np.random.default_rng(0).random(300) < 0.3).astype(np.int64)
    held = HeldOut(targets, CLASSIFICATION, ("no", "yes"))
    p = guesses(targets, 2, 1.0)
    weights = np.concatenate(list(unit_weights(300, 1000, 0)), axis=1)
    anew = [measure(targets, p[:, 1], sample_weight=column) for column in weights.T]
    drawn = bootstrap(held, {"m": p}, resamples=1000)["m"].resampled[name]
    assert drawn.std() == pytest.approx(np.std(anew), rel=0.1)
    assert np.corrcoef(drawn, anew)[0, 1] > 0.97


def test_the_interval_of_a_faultless_order_allows_for_what_was_not_seen() -> None:
    targets = np.repeat([0, 1], [30, 20])
    held = HeldOut(targets, CLASSIFICATION, ("a", "b"))
    p = np.eye(2)[targets] * 0.8 + 0.1
    found = bootstrap(held, {"m": p}, resamples=100)["m"]
    for name in ("auroc", "average_precision"):
        value, low, high = interval(found.draws(name))
        assert (value, high) == (1.0, 1.0)
        assert 0.8 < low < 0.95


def test_of_one_class_neither_is_known() -> None:
    held = HeldOut(np.zeros(20, np.int64), CLASSIFICATION, ("a", "b"))
    found = bootstrap(held, {"m": np.tile([0.9, 0.1], (20, 1))}, resamples=50)["m"]
    for name in ("auroc", "average_precision"):
        assert np.isnan(found.value[name])
        assert np.isnan(interval(found.draws(name))).all()


def test_a_hundred_classes_are_ranked_while_one_waits() -> None:
    held = a_held(3000, 100)
    p = guesses(held.targets, 100, 2.0)
    truth = held.targets[:, None] == np.arange(100)
    assert score(held, p)["auroc"] == pytest.approx(np.mean(by_class(truth, p, roc_auc_score)))


def rare(skill: float) -> tuple[HeldOut, Array]:
    """Thirty of three hundred rows are rare; none is answered so."""
    targets = np.repeat([0, 1], [270, 30])
    order = np.random.default_rng(0).normal(size=300) + skill * targets
    p = 0.1 + 0.2 / (1 + np.exp(-order))
    return HeldOut(targets, CLASSIFICATION, ("no", "yes")), np.column_stack([1 - p, p])


def test_the_page_says_that_all_rows_are_called_one_class_and_what_to_do() -> None:
    held, p = rare(1.5)
    text = " ".join(str(of_answers(held, p, {"no-transfer": p[:, ::-1] * 0 + 0.5})).split())
    assert "AUROC .8" in text
    assert "average precision of yes" in text
    assert "(no-transfer .50, .10)" in text
    assert "All 300 rows are called 'no', though the probabilities of the classes tell them apart (AUROC .8" in text
    assert "with --for balanced-accuracy all classes count alike in the answers" in text


def test_where_the_probabilities_tell_nothing_other_inputs_are_needed() -> None:
    held, p = rare(0.0)
    text = " ".join(str(of_answers(held, p, {})).split())
    assert "the probabilities do not tell the classes apart beyond chance" in text


def test_a_model_that_answers_both_classes_is_not_told_so() -> None:
    held, p = rare(1.5)
    p[0] = [0.4, 0.6]
    assert "rows are called" not in str(of_answers(held, p, {}))


def test_evidence_of_an_earlier_version_has_neither() -> None:
    held, p = rare(1.5)
    record = of_answers(held, p, {"no-transfer": p}).to_json()
    for scores in (record["metrics"], record["baselines"]["no-transfer"]):
        del scores["auroc"], scores["average_precision"]
    earlier = Evidence.from_json(record)
    assert np.isnan(earlier.metrics["auroc"].value)
    assert "order of the probabilities" not in str(earlier)
    assert Evidence.from_json(earlier.to_json()).to_json() == earlier.to_json()


def test_of_labels_that_are_all_there_or_all_absent() -> None:
    held = HeldOut(np.array([[1, 0], [1, 0]], np.uint8), MULTILABEL, ("a", "b"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(score(held, np.full((2, 2), 0.5))["auroc"])
