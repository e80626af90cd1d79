"""Answers are withheld below the confidence from which on they are right as often as asked."""

from __future__ import annotations

import math

import numpy as np
import pytest

from headstart.uncertainty.selective import FEWEST, confidence_threshold


def by_search(confidence: np.ndarray, right: np.ndarray, accuracy: float) -> float:
    good = [t for t in confidence if (confidence >= t).sum() >= FEWEST and right[confidence >= t].mean() >= accuracy]
    return min(good, default=math.inf)


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_lowest_that_a_search_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    confidence = np.round(rng.uniform(0.3, 1, 200), 2)  # with ties
    right = rng.uniform(size=200) < confidence
    for accuracy in (0.6, 0.8, 0.95):
        assert confidence_threshold(confidence, right, accuracy) == by_search(confidence, right, accuracy)


def test_where_no_rows_are_so_good_none_is_answered() -> None:
    assert confidence_threshold(np.linspace(0, 1, 50), np.zeros(50, bool), 0.5) == math.inf
    assert confidence_threshold(np.ones(5), np.ones(5, bool), 0.5) == math.inf
    assert confidence_threshold(np.zeros(0), np.zeros(0, bool), 0.5) == math.inf
