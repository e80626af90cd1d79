"""Logistic regression drawn to given parameters: the gradient at the answer is nought, else it is said."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.exceptions import ConvergenceWarning

from headstart.adaptation.estimators.logistic import logits, pulled


@pytest.mark.parametrize("penalty", [0.3, 1.0, 1e4, 1e8])
@pytest.mark.parametrize("classes", [2, 4])
def test_the_pull_balances_the_errors(penalty: float, classes: int) -> None:
    random = np.random.default_rng(0)
    X, codes = random.normal(size=(40, 3)), random.integers(0, classes, 40)
    k = 1 if classes == 2 else classes
    W0, b0 = random.normal(size=(3, k)), random.normal(size=k)
    W, b = pulled(X, np.eye(classes)[codes], (W0, b0), penalty)
    error = (softmax(logits(X @ W + b), axis=1) - np.eye(classes)[codes])[:, -k:]
    np.testing.assert_allclose(X.T @ error + penalty * (W - W0), 0, atol=2e-3)
    np.testing.assert_allclose(error.sum(0) + penalty * (b - b0), 0, atol=2e-3)


def test_columns_of_wild_scale_settle_at_the_same_answer_as_columns_of_one_scale() -> None:
    random = np.random.default_rng(0)
    X, hot = random.normal(size=(60, 6)), np.eye(2)[random.integers(0, 2, 60)]
    scale = 10.0 ** np.arange(-6, 12, 3)
    W, b = pulled(X, hot, (np.zeros((6, 1)), np.zeros(1)), 0.0)
    wild, offset = pulled(X * scale, hot, (np.zeros((6, 1)), np.zeros(1)), 0.0)
    np.testing.assert_allclose(wild * scale[:, None], W, atol=1e-5)
    np.testing.assert_allclose(offset, b, atol=1e-5)


def test_too_few_steps_are_told_of() -> None:
    random = np.random.default_rng(0)
    X, codes = random.normal(size=(60, 6)), random.integers(0, 2, 60)
    with pytest.warns(ConvergenceWarning, match=r"has not settled after 1 steps: put the columns on one scale"):
        pulled(X, np.eye(2)[codes], (np.full((6, 1), 3.0), np.zeros(1)), 0.0, steps=1)
