"""The temperature against a search by scipy, a known truth, and the rule of succession."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_softmax, softmax

from headstart.heads.calibrate import calibrate, log_loss
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION


def draw(n=2000, classes=5, sharpness=3.0, seed=0):
    """Logits whose softmax the labels really follow."""
    rng = np.random.default_rng(seed)
    logits = sharpness * rng.standard_normal((n, classes))
    return logits, np.array([rng.choice(classes, p=p) for p in softmax(logits, axis=1)])


@pytest.mark.parametrize("scale", [1e-6, 0.1, 1.0, 40.0, 1e6])
def test_a_known_temperature_is_found(scale):
    logits, codes = draw()
    found = calibrate(logits * scale, codes, CLASSIFICATION)
    assert found.temperature == pytest.approx(scale, rel=0.1)
    assert found.temperature == pytest.approx(calibrate(logits, codes, CLASSIFICATION).temperature * scale)


@pytest.mark.parametrize("weighted", [False, True])
def test_it_equals_a_search_by_scipy(weighted):
    logits, codes = draw(n=300)
    weights = np.random.default_rng(1).random(300) if weighted else np.ones(300)

    def loss(log_t):
        each = -log_softmax(2 * logits / np.exp(log_t), axis=1)[np.arange(300), codes]
        return np.average(each, weights=weights)

    best = minimize_scalar(loss, bounds=(-5, 5), method="bounded", options={"xatol": 1e-10})
    found = calibrate(2 * logits, codes, CLASSIFICATION, weights)
    assert found.loss == pytest.approx(best.fun, abs=1e-12)
    assert np.log(found.temperature) == pytest.approx(best.x, abs=1e-5)
    assert log_loss(2 * logits / found.temperature, codes, CLASSIFICATION, weights) == pytest.approx(found.loss)


def test_labels_of_a_multilabel_task_share_one_temperature():
    rng = np.random.default_rng(0)
    logits = 2 * rng.standard_normal((3000, 4))
    labels = (rng.random(logits.shape) < expit(logits)).astype(np.uint8)
    assert calibrate(7 * logits, labels, MULTILABEL).temperature == pytest.approx(7, rel=0.1)


@pytest.mark.parametrize("n", [2, 10, 1000])
def test_separable_rows_stop_at_the_rule_of_succession(n):
    codes = np.arange(n) % 2
    found = calibrate(np.eye(2)[codes] * 0.3, codes, CLASSIFICATION)
    probability = softmax(np.eye(2)[codes] * 0.3 / found.temperature, axis=1)[np.arange(n), codes]
    np.testing.assert_allclose(probability, (n + 1) / (n + 2))


def test_logits_that_point_the_wrong_way_become_uniform():
    codes = np.arange(50) % 3
    found = calibrate(-5 * np.eye(3)[codes], codes, CLASSIFICATION)
    np.testing.assert_allclose(softmax(-5 * np.eye(3)[codes] / found.temperature, axis=1), 1 / 3, atol=1e-3)


def test_rows_of_no_weight_are_left_out():
    logits, codes = draw(n=200)
    kept = np.arange(200) % 2 == 0
    wrong = np.where(kept, codes, (codes + 1) % 5)
    expected = calibrate(logits[kept], codes[kept], CLASSIFICATION)
    assert calibrate(logits, wrong, CLASSIFICATION, kept.astype(float)) == pytest.approx(expected)


@pytest.mark.parametrize("logits", [np.zeros((4, 3)), np.ones((4, 3))])
def test_logits_that_tell_nothing_apart_keep_temperature_1(logits):
    found = calibrate(logits, np.array([0, 1, 2, 0]), CLASSIFICATION)
    assert found == pytest.approx((1.0, np.log(3)))


def test_nothing_that_counts_keeps_temperature_1():
    assert calibrate(np.eye(2), np.array([0, 1]), CLASSIFICATION, np.zeros(2)).temperature == 1.0


def test_values_have_no_temperature():
    with pytest.raises(ValueError, match="a temperature belongs to probabilities"):
        calibrate(np.ones((3, 1)), np.ones(3), REGRESSION)
