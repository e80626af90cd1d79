"""Boosting: what it costs, what it leaves to the folds, and data that has only categories."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine
from sklearn.metrics import balanced_accuracy_score

from headstart.evidence.baselines.no_transfer import no_transfer
from headstart.tasks.task import Task


def test_wine_from_eighty_rows() -> None:
    x, y = load_wine(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    known, new = order[:80], order[80:]
    task = Task(inputs=x[known], targets=y[known], kind="classification", modality="array", classes=("a", "b", "c"))
    p = no_transfer(task, x[new], folds=np.arange(80) % 5)
    assert balanced_accuracy_score(y[new], p.argmax(axis=1)) > 0.93
    assert (p == no_transfer(task, x[new], folds=np.arange(80) % 5)).all()


@pytest.mark.parametrize(("categories", "rows"), [(12, 120), (80, 2400)])
def test_categories_alone(categories: int, rows: int) -> None:
    """Few, of about ten rows each, and more of them than the trees have bins for numbers."""
    word = np.random.default_rng(0).integers(0, categories, 2 * rows)
    frame, y = pd.DataFrame({"word": [f"w{i}" for i in word]}), (word % 2).astype(np.int64)
    task = Task(inputs=frame[:rows], targets=y[:rows], kind="classification", modality="table", classes=("even", "odd"))
    p = no_transfer(task, frame[rows:], folds=np.arange(rows) % 5)
    assert (p.argmax(axis=1) == y[rows:]).mean() > 0.9


def test_noise_stops_early_and_stays_near_the_shares() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(120, 5)), (random.random(120) < 0.3).astype(np.int64)
    task = Task(inputs=x, targets=y, kind="classification", modality="array", classes=("no", "yes"))
    p = no_transfer(task, random.normal(size=(50, 5)), folds=np.arange(120) % 5)
    assert np.abs(p[:, 1] - y.mean()).mean() < 0.15


def test_weights_lift_the_rare_class() -> None:
    random = np.random.default_rng(0)
    y = (np.arange(200) % 10 == 0).astype(np.int64)
    x = random.normal(size=(200, 2)) + y[:, None]
    task = Task(inputs=x, targets=y, kind="classification", modality="array", classes=("many", "few"))
    plain, balanced = (
        no_transfer(task, x, folds=np.arange(200) % 5, class_weight=weight)[:, 1].mean()
        for weight in (None, "balanced")
    )
    assert balanced > plain + 0.1


def test_wide_data_takes_coarser_bins_and_fewer_trees() -> None:
    random = np.random.default_rng(0)
    y = np.arange(60) % 3
    x = random.normal(size=(60, 70))
    x[:, 7] += 3 * y
    task = Task(inputs=x[:45], targets=y[:45], kind="classification", modality="array", classes=("a", "b", "c"))
    p = no_transfer(task, x[45:], folds=np.arange(45) % 5)
    assert (p.argmax(axis=1) == y[45:]).mean() > 0.8


def test_values() -> None:
    x = np.linspace(0, 6, 200)[:, None]
    task = Task(inputs=x[::2], targets=np.sin(x[::2, 0]), kind="regression", modality="array")
    found = no_transfer(task, x[1::2], folds=np.arange(100) % 5)
    assert found == pytest.approx(np.sin(x[1::2, 0]), abs=0.25)


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_a_column_that_is_missing_in_all_rows_of_a_fit_says_nothing(kind: str) -> None:
    """Of all rows, or of those that learn while one fold is held out: scikit-learn's trees stop on such a column."""
    random = np.random.default_rng(0)
    x, new, folds = random.normal(size=(60, 3)), random.normal(size=(30, 3)), np.arange(60) % 3
    y = (x[:, 0] > 0).astype(np.int64) if kind == "classification" else x[:, 0].copy()
    classes = ("no", "yes") if kind == "classification" else ()
    for known in (np.zeros(60, bool), folds == 0):
        x[:, 2] = np.where(known, 1.5, np.nan)
        task = Task(inputs=x.copy(), targets=y, kind=kind, modality="array", classes=classes)
        answers = no_transfer(task, new, folds=folds)
        assert np.isfinite(answers).all()
        right = answers.argmax(axis=1) == (new[:, 0] > 0) if kind == "classification" else abs(answers - new[:, 0]) < 1
        assert right.mean() > 0.8
