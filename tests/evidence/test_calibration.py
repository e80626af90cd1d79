"""The expected calibration error against a loop that follows its definition, and the diagram behind it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.evidence.calibration import BINS, bin_of, reliability
from headstart.evidence.held_out import HeldOut
from headstart.evidence.scores import score
from headstart.tasks import CLASSIFICATION
from tests.evidence.conftest import a_held, guesses, labels_held

Array = np.ndarray[Any, Any]


def by_definition(sure: Array, right: Array) -> float:
    """Guo et al. (2017), equation 3, bin by bin."""
    total = 0.0
    for m in range(BINS):
        inside = (sure > m / BINS) & (sure <= (m + 1) / BINS) | ((sure == 0) & (m == 0))
        if inside.any():
            total += inside.sum() / len(sure) * abs(right[inside].mean() - sure[inside].mean())
    return total


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(1, 60), classes=st.integers(2, 5), skill=st.floats(0, 5), seed=st.integers(0, 999))
def test_of_classes(rows: int, classes: int, skill: float, seed: int) -> None:
    held = a_held(rows, classes, seed)
    p = guesses(held.targets, classes, skill, seed)
    expected = by_definition(p.max(axis=1), p.argmax(axis=1) == held.targets)
    assert score(held, p)["calibration_error"] == pytest.approx(expected, abs=1e-12)


def test_of_labels() -> None:
    held = labels_held(40, 3)
    p = np.random.default_rng(0).random((40, 3))
    expected = by_definition(p.ravel(), held.targets.ravel())
    assert score(held, p)["calibration_error"] == pytest.approx(expected, abs=1e-12)


def test_bins_take_their_upper_edge() -> None:
    assert bin_of(np.array([0.0, 1e-9, 0.5, 1.0])).tolist() == [0, 0, 7, 14]


def test_honest_probabilities_have_little_error_and_false_ones_much() -> None:
    random = np.random.default_rng(0)
    p = random.random(20_000)
    held = HeldOut((random.random(20_000) < p).astype(np.int64), CLASSIFICATION, ("no", "yes"))
    honest = score(held, np.stack([1 - p, p], axis=1))["calibration_error"]
    sure = np.where(p > 0.5, 0.99, 0.01)
    boastful = score(held, np.stack([1 - sure, sure], axis=1))["calibration_error"]
    assert honest < 0.02
    assert boastful == pytest.approx(0.24, abs=0.02)


def test_the_diagram_holds_every_answer_and_gives_the_error_back() -> None:
    held = a_held(50, 3)
    p = guesses(held.targets, 3, 1.0)
    bins = reliability(held, p)
    confidence, accuracy, rows = (np.array(bins[name]) for name in ("confidence", "accuracy", "rows"))
    assert rows.sum() == 50
    error = (rows * np.abs(confidence - accuracy)).sum() / 50
    assert error == pytest.approx(score(held, p)["calibration_error"])
    assert sum(reliability(held, np.stack([p, p]))["rows"]) == 50
