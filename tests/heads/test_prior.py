"""Temperature and shares: against a grid, and what they do to answers that are right or wrong about shares."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax

from headstart.heads.calibrate import calibrate
from headstart.heads.prior import answered, half_by_class, settle, shares_of
from headstart.tasks import CLASSIFICATION
from headstart.tasks.goal import Aim, Decided


def drawn(rows=2000, classes=4, seed=0, sharpness=1.5):
    """Codes of uneven classes, and the log odds that Bayes' rule gives for them."""
    rng = np.random.default_rng(seed)
    shares = np.array([0.6, 0.25, 0.1, 0.05])[:classes]
    y = rng.choice(classes, rows, p=shares / shares.sum())
    x = rng.standard_normal((rows, classes)) + sharpness * np.eye(classes)[y]
    return sharpness * x, np.log(np.bincount(y) / rows), y


def loss(logits, y, temperature, offsets, weights):
    return -weights @ log_softmax(logits / temperature + offsets, axis=1)[np.arange(len(y)), y]


def test_the_minimum_is_that_of_a_grid():
    logits, shares, y = drawn(rows=400)
    weights = np.full(400, 1 / 400)
    found = settle(3 * logits, y, np.ones(400))
    grid = [
        (loss(3 * logits, y, t, s * shares, weights) + s**2 / 800, t, s)
        for t in np.linspace(2, 5, 61)
        for s in np.linspace(-0.5, 1.5, 81)
    ]
    best = min(grid)
    assert found.temperature == pytest.approx(best[1], abs=0.06)
    assert found.exponent == pytest.approx(best[2], abs=0.03)
    assert found.loss + found.exponent**2 / 800 <= best[0] + 1e-9
    assert found.loss == pytest.approx(loss(3 * logits, y, found.temperature, found.offsets, weights))


def test_answers_with_even_priors_and_with_full_ones_are_settled_alike():
    logits, shares, y = drawn()
    even, full = (settle(z, y, np.ones(len(y))) for z in (logits, logits + shares))
    assert even.exponent == pytest.approx(1.0, abs=0.1)  # Bayes' rule: all of the shares, and of full ones no more
    np.testing.assert_allclose(full.exponent, even.exponent - 1 / full.temperature, atol=0.02)
    np.testing.assert_allclose(even.loss, full.loss, atol=1e-3)


def test_even_classes_have_a_temperature_and_no_more():
    rng = np.random.default_rng(0)
    y = np.arange(300) % 3
    logits = rng.standard_normal((300, 3)) + np.eye(3)[y]
    found = settle(logits, y, np.ones(300))
    assert found.exponent == 0.0
    assert (found.offsets == 0).all()
    assert found.temperature == calibrate(logits, y, CLASSIFICATION).temperature


def test_moved_logits_at_the_temperature_are_the_settled_answers():
    logits, _, y = drawn(rows=300)
    found = settle(logits, y, np.ones(300))
    np.testing.assert_allclose(found.moved(logits) / found.temperature, logits / found.temperature + found.offsets)


def test_a_class_without_rows_is_moved_with_the_rarest():
    logits, _, y = drawn(rows=300)
    logits = np.concatenate([logits, np.full((300, 1), -6.0)], axis=1)
    found = settle(logits, y, np.ones(300))
    assert found.offsets[4] == found.offsets[np.argmin(np.bincount(y))]


def test_where_nothing_is_wrong_shares_are_left_alone():
    y = np.repeat([0, 1], [40, 10])
    found = settle(np.eye(2)[y], y, np.ones(50))
    assert found.exponent == 0.0
    assert found.loss == pytest.approx(np.log1p(1 / 51))


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_the_unit_of_logits_does_not_matter(scale):
    logits, _, y = drawn(rows=500)
    one, other = settle(logits, y, np.ones(500)), settle(scale * logits, y, np.ones(500))
    np.testing.assert_allclose(other.offsets, one.offsets, rtol=1e-3, atol=1e-4)
    assert other.temperature == pytest.approx(scale * one.temperature, rel=1e-3)


def test_rows_of_weight_two_are_two_rows():
    logits, _, y = drawn(rows=200)
    twice = np.concatenate([np.arange(200), np.arange(50)])
    weighted = settle(logits, y, 1.0 + (np.arange(200) < 50))
    repeated = settle(logits[twice], y[twice], np.ones(250))
    assert weighted.exponent == pytest.approx(repeated.exponent, abs=0.02)
    assert weighted.loss == pytest.approx(repeated.loss, abs=1e-3)


def test_half_of_the_weight_is_of_the_rows_and_half_of_the_classes():
    y = np.array([0, 0, 0, 1, 3])
    np.testing.assert_allclose(half_by_class(y, np.ones(5), 4), 0.1 + np.array([1, 1, 1, 3, 3]) / 18)
    np.testing.assert_allclose(half_by_class(y, np.array([1, 1, 1, 0, 1.0]), 4), np.array([5, 5, 5, 0, 9]) / 24)


def test_inputs_that_tell_nothing_get_the_shares():
    y = np.repeat([0, 1], [300, 100])
    found = settle(np.random.default_rng(0).normal(size=(400, 2)) * 1e-3, y, np.ones(400))
    p = np.exp(log_softmax(np.zeros(2) / found.temperature + found.offsets))
    np.testing.assert_allclose(p, [0.75, 0.25], atol=0.01)


@pytest.mark.parametrize("leant", [-1.0, 0.0, 1.0, 2.0])
def test_whatever_shares_were_learnt_the_probabilities_are_those_of_the_rows(leant):
    """Of new rows each class is expected as often as it is there, and the loss is that of Bayes' rule."""
    logits, shares, y = drawn(rows=6000, sharpness=1.2)
    known, new = slice(0, 3000), slice(3000, None)
    settled = settle((logits + leant * shares)[known], y[known], np.ones(3000))
    z = (logits + leant * shares)[new] / settled.temperature + settled.offsets
    p = np.exp(log_softmax(z, axis=1))
    weights = np.full(3000, 1 / 3000)
    np.testing.assert_allclose(p.mean(axis=0), np.bincount(y[new]) / 3000, atol=0.02)
    assert loss(z, y[new], 1.0, 0.0, weights) < loss(logits[new], y[new], 1.0, shares, weights) + 0.01


def test_answers_to_new_rows_are_settled_by_known_ones_and_decided_for_the_aim():
    logits, _, y = drawn(rows=3000)
    known, new, weights = logits[:1500], logits[1500:], np.ones(1500)
    plain = answered(new, known, y[:1500], weights, Aim("accuracy"))
    decided = answered(new, known, y[:1500], weights, Aim("balanced_accuracy"))
    settled = settle(known, y[:1500], weights)
    np.testing.assert_allclose(plain, np.exp(log_softmax(new / settled.temperature + settled.offsets, axis=1)))
    assert isinstance(decided, Decided)
    assert (decided.predictions == plain).all()
    assert (decided.decisions == (plain * 1500 / np.bincount(y[:1500])).argmax(axis=1)).all()
    recalls = [
        np.mean([(answers[y[1500:] == code] == code).mean() for code in range(4)])
        for answers in (plain.argmax(axis=1), decided.decisions)
    ]
    assert recalls[1] > recalls[0] + 0.03


def test_shares_are_those_of_the_weights():
    np.testing.assert_allclose(shares_of(np.array([0, 0, 3]), np.array([1.0, 2.0, 1.0]), 4), [0.75, 0, 0, 0.25])
    assert (shares_of(np.array([0]), np.zeros(1), 2) == 0).all()
