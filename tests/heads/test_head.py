"""The head itself: a formula, and probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, softmax

from headstart.heads.head import Head, probabilities, shaped
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION


def two_layers():
    rng = np.random.default_rng(0)
    return {
        "mean": rng.standard_normal(4),
        "scale": rng.random(4) + 0.5,
        "weight.0": rng.standard_normal((4, 6)).astype(np.float32),
        "bias.0": rng.standard_normal(6),
        "weight.1": rng.standard_normal((6, 3)).astype(np.float32),
        "bias.1": rng.standard_normal(3),
    }


@pytest.mark.parametrize("rows", [0, 1, 2500])
def test_logits_are_the_formula(rows):
    a = two_layers()
    features = np.random.default_rng(1).standard_normal((rows, 4)).astype(np.float32)
    z = (features - a["mean"]) / a["scale"]
    expected = np.maximum(z @ a["weight.0"] + a["bias.0"], 0) @ a["weight.1"] + a["bias.1"]
    found = Head(name="neural", kind="classification", arrays=a).logits(features)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_the_root_keeps_the_sign():
    np.testing.assert_allclose(shaped(np.array([[-4.0, 0.0, 9.0]]), "root"), [[-2, 0, 3]])
    assert shaped(np.array([[-4.0]]), "plain") == -4.0


def test_predictions_are_softmax_sigmoid_or_values_at_the_temperature():
    logits = np.array([[1.0, 2.0, -3.0]])
    np.testing.assert_allclose(probabilities(logits, CLASSIFICATION, 2.0), softmax(logits / 2, axis=1))
    np.testing.assert_allclose(probabilities(logits, MULTILABEL, 2.0), expit(logits / 2))
    np.testing.assert_allclose(probabilities(logits[:, :1], REGRESSION, 2.0), [1.0])
    head = Head(name="neural", kind="classification", arrays=two_layers(), temperature=3.0)
    features = np.ones((2, 4))
    np.testing.assert_allclose(head.predict(features), softmax(head.logits(features) / 3, axis=1))
