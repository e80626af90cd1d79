"""Greedy selection with replacement, beside all averages of as many members that there are."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
import pytest

from headstart.automl.race.ensemble import greedy, weighted


def mean_squared(truth):
    return lambda values: float(np.mean((values - truth) ** 2))


@pytest.fixture
def models():
    """Values of 200 rows, and five models that are off by errors of their own."""
    rng = np.random.default_rng(0)
    truth = rng.normal(size=200)
    return truth, {
        name: truth + rng.normal(scale=scale, size=200) for name, scale in zip("abcde", (1, 1, 1.2, 2, 4), strict=True)
    }


def test_weights_are_shares_and_the_average_loses_less_than_any_member(models):
    truth, predictions = models
    weights = greedy(predictions, mean_squared(truth))
    assert sum(weights.values()) == pytest.approx(1.0)
    alone = min(mean_squared(truth)(values) for values in predictions.values())
    assert mean_squared(truth)(weighted(predictions, weights)) < 0.6 * alone
    assert "e" not in weights


def test_it_comes_near_the_best_of_all_averages_of_as_many(models):
    truth, predictions = models
    weights = greedy(predictions, mean_squared(truth), steps=6)
    best = min(
        mean_squared(truth)(np.mean([predictions[name] for name in some], axis=0))
        for count in range(1, 7)
        for some in combinations_with_replacement(predictions, count)
    )
    assert mean_squared(truth)(weighted(predictions, weights)) <= 1.02 * best


def test_a_perfect_model_stands_alone(models):
    truth, predictions = models
    assert greedy(predictions | {"right": truth}, mean_squared(truth)) == {"right": 1.0}


def test_no_more_members_than_are_asked_for(models):
    truth, predictions = models
    weights = greedy(predictions, mean_squared(truth), members=2)
    assert len(weights) == 2


def test_probabilities_stay_probabilities():
    rng = np.random.default_rng(1)
    predictions = {name: rng.dirichlet(np.ones(3), 50) for name in "ab"}
    mixed = weighted(predictions, {"a": 0.3, "b": 0.7})
    np.testing.assert_allclose(mixed.sum(axis=1), 1.0)
    np.testing.assert_allclose(mixed, 0.3 * predictions["a"] + 0.7 * predictions["b"])
