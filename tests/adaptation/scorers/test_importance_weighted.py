"""Importance-weighted validation and DEV: against loops, and against the target's own loss under covariate shift."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.adaptation.scorers.importance_weighted import Loss, dev, importance_weighted, losses
from tests.evidence.conftest import guesses

Array = np.ndarray[Any, Any]


def a_case(rows: int, classes: int, seed: int) -> tuple[Array, Array, Array]:
    random = np.random.default_rng(seed)
    y = random.integers(0, classes, rows)
    return y, guesses(y, classes, 1.0, seed), random.exponential(size=rows)


def by_loop(y: Array, p: Array, w: Array, loss: Loss) -> tuple[float, float]:
    """IWV and DEV row by row; the regression of w l on w, with its line followed to a mean weight of 1."""
    lost, n = [], len(y)
    for i in range(n):
        lost.append(
            -np.log(p[i][y[i]]) if loss == "log" else float(max(range(p.shape[1]), key=lambda c: p[i][c]) != y[i])
        )
    weighted = [w[i] * lost[i] for i in range(n)]
    slope = np.polyfit(w, weighted, 1)[0]
    return sum(weighted) / n, sum(weighted) / n - slope * (sum(w) / n - 1)


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(2, 50), classes=st.integers(2, 5), seed=st.integers(0, 999))
@pytest.mark.parametrize("loss", ["log", "error"])
def test_follow_their_definitions(loss: Loss, rows: int, classes: int, seed: int) -> None:
    y, p, w = a_case(rows, classes, seed)
    expected = by_loop(y, p, w, loss)
    assert importance_weighted(y, p, w, loss) == pytest.approx(expected[0], rel=1e-9, abs=1e-12)
    assert dev(y, p, w, loss) == pytest.approx(expected[1], rel=1e-6, abs=1e-9)


def test_equal_weights_are_plain_validation() -> None:
    y, p, _ = a_case(60, 3, 0)
    plain = -np.log(p[np.arange(60), y]).mean()
    assert importance_weighted(y, p, np.ones(60)) == pytest.approx(plain, abs=1e-12)
    assert dev(y, p, np.ones(60)) == pytest.approx(plain, abs=1e-12)
    assert importance_weighted(y, p, np.ones(60), "error") == pytest.approx(np.mean(p.argmax(axis=1) != y))


def test_weights_of_mean_one_leave_no_control_variate() -> None:
    y, p, w = a_case(60, 3, 1)
    assert dev(y, p, w / w.mean()) == pytest.approx(importance_weighted(y, p, w / w.mean()), abs=1e-12)
    assert dev(y, p, w) != pytest.approx(importance_weighted(y, p, w), abs=1e-3)


def test_a_row_of_weight_zero_does_not_count() -> None:
    y, p, w = a_case(30, 3, 2)
    w[0] = 0
    before = importance_weighted(y, p, w)
    assert importance_weighted(np.r_[(y[0] + 1) % 3, y[1:]], p, w) == pytest.approx(before, abs=1e-12)


def test_a_loss_that_is_all_control_variate_is_known_without_error() -> None:
    """Where the loss is 1 in every row the risk is 1, whatever the weights drawn; IWV is off by their mean."""
    y, w = np.zeros(40, dtype=np.int64), a_case(40, 2, 3)[2]
    p = np.tile([0.2, 0.8], (40, 1))
    assert dev(y, p, w, "error") == pytest.approx(1.0, abs=1e-12)
    assert importance_weighted(y, p, w, "error") == pytest.approx(w.mean())


def test_both_estimate_the_loss_on_the_target_and_dev_varies_less() -> None:
    """Source N(0, 1), target N(.5, 1), known ratios w = exp(x / 2 - 1/8), squared loss (x - .3)^2 with mean 1.04.

    Var(w l) = E[w^2 l^2] - 1.04^2 = e^(1/4) E_{N(1,1)}[(x - .3)^4] - 1.08 < 9, so that the mean of 400 draws of 1,000
    rows has a standard error under sqrt(9 / 400,000) = .005, and .02 is four of them. DEV fits its slope on the same
    rows, which biases it by the order of 1 / 1,000 times moments of up to 10: .01 more.
    """
    found = []
    for seed in range(400):
        x = np.random.default_rng(seed).normal(size=1000)
        w = np.exp(x / 2 - 0.125)
        found.append([measure(x, np.full(1000, 0.3), w, "square") for measure in (importance_weighted, dev)])
    iwv, with_control = np.array(found).T
    assert iwv.mean() == pytest.approx(1.04, abs=0.02)
    assert with_control.mean() == pytest.approx(1.04, abs=0.03)
    assert with_control.std() < iwv.std()


def test_squares_of_a_regression() -> None:
    assert losses(np.array([1.0, 2.0]), np.array([1.5, 0.0]), "square").tolist() == [0.25, 4.0]


def test_a_sure_and_wrong_answer_costs_much_and_not_infinitely_much() -> None:
    assert losses(np.array([0]), np.array([[0.0, 1.0]]))[0] == pytest.approx(15 * np.log(10))


@pytest.mark.parametrize(
    ("y", "p", "w", "loss", "words"),
    [
        ([0, 1], [[0.5, 0.5]] * 2, [1, 1], "hinge", "loss='hinge': expected one of 'log', 'error', 'square'"),
        ([0, 2], [[0.5, 0.5]] * 2, [1, 1], "log", "y holds values other than the class codes 0 to 1"),
        ([0, -1], [[0.5, 0.5]] * 2, [1, 1], "log", "y holds values other than the class codes 0 to 1"),
        ([0], [[0.5, 0.5]] * 2, [1, 1], "log", r"y has shape \(1,\): expected \(2,\), one answer a row"),
        ([0, 1], [[0.5, 0.6]] * 2, [1, 1], "log", r"p_source has .* 0.1 off a sum of 1: expected probabilities"),
        ([0, 1], [[1.5, -0.5]] * 2, [1, 1], "log", "p_source has a least value of -0.5"),
        ([0, 1], [[np.nan, 0.5]] * 2, [1, 1], "log", "p_source holds NaN or infinite"),
        ([0, 1], [0.5, 0.5], [1, 1], "log", r"p_source has shape \(2,\): expected \(rows, columns\)"),
        ([0, 1], [[0.5, 0.5]] * 2, [1, 1, 1], "log", "weights has 3 rows: expected 2"),
        ([0, 1], [[0.5, 0.5]] * 2, [1, -1], "log", "weights go from -1 to 1: expected density ratios"),
        ([0, 1], [[0.5, 0.5]] * 2, [0, 0], "log", "weights go from 0 to 0: expected density ratios"),
        ([0, 1], [[0.5, 0.5]] * 2, [1, np.inf], "log", "weights holds NaN or infinite"),
        ([0.0], [1.0, 2.0], [1, 1], "square", "y has 1 rows and p_source 2"),
    ],
)
def test_bad_input_in_words(y: list[int], p: list[Any], w: list[float], loss: Any, words: str) -> None:
    for measure in (importance_weighted, dev):
        with pytest.raises(ValueError, match=words):
            measure(np.array(y), np.array(p), np.array(w), loss)
