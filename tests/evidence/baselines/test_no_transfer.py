"""Rivals of the model: sound on real data, calibrated, the same for the same seed, and refused with words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from demo_data import rated_sentences
from sklearn.datasets import load_diabetes, load_digits
from sklearn.metrics import balanced_accuracy_score, log_loss, r2_score

from headstart.evidence.baselines.no_transfer import majority, no_transfer
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION
from headstart.tasks.task import Task

Array = np.ndarray[Any, Any]


def digit_thumbs(rows: int) -> tuple[Array, Array]:
    """Digits as pictures, shuffled: the data comes writer by writer."""
    images, y = load_digits(return_X_y=True)
    chosen = np.random.default_rng(0).permutation(len(y))[:rows]
    images, y = images[chosen], y[chosen]
    grey = (images.reshape(-1, 8, 8) * 255 / 16).astype(np.uint8)
    return np.kron(grey[..., None], np.ones((1, 4, 4, 3), np.uint8)), y


def folds_of(rows: int) -> Array:
    return np.arange(rows) % 5


def test_the_majority_answers_with_shares_and_means() -> None:
    assert majority(CLASSIFICATION, np.array([0, 0, 2]), 3, 2).tolist() == [[2 / 3, 0, 1 / 3]] * 2
    assert majority(MULTILABEL, np.array([[0, 1], [1, 1]], np.uint8), 2, 2).tolist() == [[0.5, 1.0]] * 2
    assert majority(REGRESSION, np.array([1.0, 4.0]), 0, 3).tolist() == [2.5] * 3


def test_pictures() -> None:
    thumbs, y = digit_thumbs(500)
    task = Task(inputs=thumbs[:250], targets=y[:250], kind="classification", modality="image", classes=tuple(range(10)))
    p = no_transfer(task, thumbs[250:], folds=folds_of(250))
    assert p.shape == (250, 10)
    assert balanced_accuracy_score(y[250:], p.argmax(axis=1)) > 0.93
    assert log_loss(y[250:], p) < 0.35
    assert no_transfer(task, thumbs[250:260], folds=folds_of(250)) == pytest.approx(p[:10], rel=1e-3)
    assert (no_transfer(task, thumbs[250:], folds=folds_of(250)) == p).all()


def test_pictures_of_values_and_of_labels() -> None:
    thumbs, y = digit_thumbs(400)
    values = Task(inputs=thumbs[:200], targets=y[:200].astype(float), kind="regression", modality="image")
    assert r2_score(y[200:], no_transfer(values, thumbs[200:], folds=folds_of(200))) > 0.6
    truth = np.stack([y % 2, y > 4], axis=1).astype(np.uint8)
    labels = Task(inputs=thumbs[:200], targets=truth[:200], kind="multilabel", modality="image", classes=("odd", "big"))
    p = no_transfer(labels, thumbs[200:], folds=folds_of(200))
    assert ((p > 0.5) == truth[200:]).mean() > 0.85


def test_sentences() -> None:
    rows = [(text, rating) for _, rating, text in rated_sentences("amazon") if abs(rating) >= 0.5]
    order = np.random.default_rng(0).permutation(len(rows))[:1500]
    texts, ratings = [rows[i][0] for i in order], np.array([rows[i][1] for i in order])
    y, known, new = (ratings > 0).astype(np.int64), slice(None, 750), slice(750, None)
    task = Task(inputs=texts[known], targets=y[known], kind="classification", modality="text", classes=("no", "yes"))
    p = no_transfer(task, texts[new], folds=folds_of(750))
    assert balanced_accuracy_score(y[new], p.argmax(axis=1)) > 0.65
    assert log_loss(y[new], p) < log_loss(y[new], majority(CLASSIFICATION, y[known], 2, 750)) - 0.05
    rare, common = (no_transfer(task, texts[new], folds=folds_of(750), class_weight={code: 4.0}) for code in (0, 1))
    assert rare.argmax(axis=1).mean() < p.argmax(axis=1).mean() < common.argmax(axis=1).mean()
    rated = Task(inputs=texts[known], targets=ratings[known], kind="regression", modality="text")
    assert r2_score(ratings[new], no_transfer(rated, texts[new], folds=folds_of(750))) > 0.2


def test_penguins(penguins: pd.DataFrame) -> None:
    """Gaps, words and numbers as they are."""
    shuffled = penguins.sample(frac=1, random_state=0)
    inputs, y = shuffled.drop(columns="species"), shuffled.species.astype("category").cat.codes.to_numpy(np.int64)
    task = Task(inputs=inputs[:100], targets=y[:100], kind="classification", modality="table", classes=("A", "C", "G"))
    p = no_transfer(task, inputs[100:], folds=folds_of(100))
    assert balanced_accuracy_score(y[100:], p.argmax(axis=1)) > 0.9
    assert log_loss(y[100:], p) < 0.25


def test_numbers() -> None:
    x, y = load_diabetes(return_X_y=True)
    task = Task(inputs=x[:300], targets=y[:300], kind="regression", modality="array")
    assert r2_score(y[300:], no_transfer(task, x[300:], folds=folds_of(300))) > 0.35


@pytest.mark.parametrize("modality", ["image", "text", "table", "array"])
def test_where_all_answers_are_the_same_it_is_given(modality: Any) -> None:
    inputs: Any = {
        "image": np.zeros((4, 32, 32, 3), np.uint8),
        "text": ["a", "b", "c", "d"],
        "table": pd.DataFrame({"x": range(4)}),
        "array": np.arange(4.0)[:, None],
    }[modality]
    task = Task(inputs=inputs, targets=np.ones(4, np.int64), kind=CLASSIFICATION, modality=modality, classes=("a", "b"))
    assert no_transfer(task, inputs, folds=np.arange(4) % 2).tolist() == [[0.0, 1.0]] * 4
    values = Task(inputs=inputs, targets=np.full(4, 2.5), kind="regression", modality=modality)
    assert no_transfer(values, inputs, folds=np.arange(4) % 2).tolist() == [2.5] * 4


@pytest.mark.parametrize("modality", ["image", "text", "table", "array"])
@pytest.mark.parametrize("kind", [CLASSIFICATION, REGRESSION, MULTILABEL])
def test_the_smallest_data(modality: Any, kind: Any) -> None:
    """Four rows, a class of one row, and folds that lack it."""
    random = np.random.default_rng(0)
    inputs: Any = {
        "image": random.integers(0, 255, (4, 32, 32, 3), dtype=np.uint8),
        "text": ["one", "two", "three", ""],
        "table": pd.DataFrame({"x": [1.0, 2, 3, None], "w": ["a", None, "b", "b"]}),
        "array": random.normal(size=(4, 2)),
    }[modality]
    targets = {
        CLASSIFICATION: np.array([0, 0, 0, 1]),
        REGRESSION: np.array([0.0, 0.0, 1.0, 2.0]),
        MULTILABEL: np.array([[0, 1], [0, 1], [0, 0], [0, 1]], np.uint8),
    }[kind]
    task = Task(
        inputs=inputs, targets=targets, kind=kind, modality=modality, classes=() if kind == REGRESSION else ("a", "b")
    )
    p = no_transfer(task, inputs, folds=np.array([0, 0, 1, 1]))
    assert p.shape == ((4,) if kind == REGRESSION else (4, 2))
    assert np.isfinite(p).all()
    if kind == CLASSIFICATION:
        assert p.sum(axis=1) == pytest.approx(np.ones(4))


def test_what_cannot_be_learnt_from_is_refused() -> None:
    task = Task(inputs=["a", "b"], targets=None, kind="classification", modality="text", classes=("x", "y"))
    with pytest.raises(ValueError, match="training rows have no targets: a model without transfer needs labelled"):
        no_transfer(task, ["a"], folds=np.array([0, 1]))
    known = Task(inputs=["a", "b"], targets=np.array([0, 1]), kind=CLASSIFICATION, modality="text", classes=("x", "y"))
    with pytest.raises(ValueError, match="all 2 training rows are in one fold, so that none is held out: give two"):
        no_transfer(known, ["a"], folds=np.array([0, 0]))
