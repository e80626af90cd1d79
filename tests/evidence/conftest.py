"""Held-out rows and answers to them, made up and real."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from headstart.evidence.held_out import HeldOut
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION

Array = np.ndarray[Any, Any]


def normalised(p: Array) -> Array:
    return p / p.sum(axis=-1, keepdims=True)


def guesses(targets: Array, classes: int, skill: float, seed: int = 0, repeats: tuple[int, ...] = ()) -> Array:
    """Probabilities (..., N, C) that are better than chance by `skill`."""
    noise = np.random.default_rng(seed).normal(size=(*repeats, len(targets), classes))
    return normalised(np.exp(noise + skill * np.eye(classes)[targets]))


def a_held(rows: int, classes: int, seed: int = 0, group: Array | None = None) -> HeldOut:
    targets = np.random.default_rng(seed).integers(0, classes, rows)
    return HeldOut(targets, CLASSIFICATION, tuple(f"class {i}" for i in range(classes)), group)


def labels_held(rows: int, classes: int, seed: int = 0) -> HeldOut:
    targets = (np.random.default_rng(seed).random((rows, classes)) < 0.3).astype(np.uint8)
    return HeldOut(targets, MULTILABEL, tuple("abcdefgh"[:classes]))


def values_held(rows: int, seed: int = 0) -> HeldOut:
    return HeldOut(np.random.default_rng(seed).normal(size=rows), REGRESSION)


@pytest.fixture(scope="session")
def penguins() -> pd.DataFrame:
    spec = find_spec("palmerpenguins")
    assert spec is not None
    assert spec.origin is not None
    return pd.read_csv(Path(spec.origin).parent / "data" / "penguins.csv")
