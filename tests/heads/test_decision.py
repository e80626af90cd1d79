"""Decisions against brute force: every threshold, every answer, and everything that could be answered to all rows."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from headstart.heads.decision import decide, utility_of
from headstart.tasks.goal import Aim


def drawn(rows, classes, seed, sharpness=2.0, lean=1.0):
    """Calibrated probabilities (N, C) of uneven classes, and codes that are drawn from them."""
    rng = np.random.default_rng(seed)
    logits = sharpness * rng.standard_normal((rows, classes)) - lean * np.arange(classes)
    p = np.exp(logits)
    p /= p.sum(axis=1, keepdims=True)
    return p, (rng.random((rows, 1)) > p.cumsum(axis=1)).sum(axis=1).clip(max=classes - 1)


def expected_f1(p, chosen):
    """Of calling the chosen rows (N,) bool of a class that each is of with probability p (N,)."""
    return 2 * p[chosen].sum() / (chosen.sum() + p.sum())


sizes = {"rows": st.integers(1, 40), "classes": st.integers(2, 6), "seed": st.integers(0, 10_000)}


@settings(max_examples=100, deadline=None)
@given(**sizes, matrix=st.booleans(), lead=st.sampled_from([(), (3,)]))
def test_the_answer_is_that_of_the_highest_expected_utility(rows, classes, seed, matrix, lead):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(classes), (*lead, rows))
    utility = rng.normal(size=(classes, classes) if matrix else classes)
    whole = utility if matrix else np.diag(utility)
    worth = np.stack([sum(p[..., c] * whole[c, k] for c in range(classes)) for k in range(classes)], axis=-1)
    answers = decide(p, utility)
    assert answers.shape == (*lead, rows)
    np.testing.assert_allclose(np.take_along_axis(worth, answers[..., None], -1)[..., 0], worth.max(-1), atol=1e-12)


def test_of_equals_the_first_is_answered():
    assert decide(np.array([0.5, 0.5]), None) == 0
    assert decide(np.array([0.25, 0.75]), np.array([3.0, 1.0])) == 0
    assert decide(np.array([0.5, 0.5]), np.ones((2, 2))) == 0


@pytest.mark.parametrize("aim", [None, Aim("accuracy"), Aim("log_loss"), Aim("auroc"), Aim("r2")])
def test_without_more_the_likeliest_class_is_the_answer(aim):
    p, _ = drawn(30, 4, 0)
    assert utility_of(aim, p, p.mean(axis=0)) is None
    assert (decide(p, None) == p.argmax(axis=1)).all()


@settings(max_examples=100, deadline=None)
@given(**sizes)
def test_costs_are_the_least_that_can_be_expected(rows, classes, seed):
    p, _ = drawn(rows, classes, seed)
    costs = np.random.default_rng(seed).normal(size=(classes, classes)) * 10
    answers = decide(p, utility_of(Aim("cost", costs=costs), p, p.mean(axis=0)))
    for row, answer in zip(p, answers, strict=True):
        paid = [sum(row[c] * costs[c, k] for c in range(classes)) for k in range(classes)]
        assert paid[answer] <= min(paid) + 1e-9


def test_even_costs_are_accuracy():
    p, _ = drawn(200, 5, 1)
    for costs in (1 - np.eye(5), 7 - 3 * np.eye(5)):
        answers = decide(p, utility_of(Aim("cost", costs=costs), p, p.mean(axis=0)))
        assert (answers == p.argmax(axis=1)).all()


@settings(max_examples=60, deadline=None)
@given(rows=st.integers(1, 7), classes=st.integers(2, 3), seed=st.integers(0, 10_000))
def test_balanced_accuracy_is_the_best_that_can_be_expected(rows, classes, seed):
    """Of all answers to all rows, where the shares of the classes are those that the probabilities sum to."""
    p, _ = drawn(rows, classes, seed)
    shares = p.mean(axis=0)
    balanced = {
        answers: sum(p[i, k] / (rows * shares[k]) for i, k in enumerate(answers)) / classes
        for answers in product(range(classes), repeat=rows)
    }
    answers = decide(p, utility_of(Aim("balanced_accuracy"), p, shares))
    assert balanced[tuple(answers.tolist())] >= max(balanced.values()) - 1e-12


def test_a_class_without_a_share_counts_as_the_rarest():
    shares = np.array([0.0, 0.8, 0.2])
    np.testing.assert_allclose(utility_of(Aim("balanced_accuracy"), np.zeros((0, 3)), shares), [5, 1.25, 5])
    assert np.isfinite(utility_of(Aim("balanced_accuracy"), np.zeros((0, 3)), np.zeros(3))).all()
    assert np.isfinite(utility_of(Aim("macro_f1"), drawn(20, 3, 0)[0], shares)).all()


@settings(max_examples=150, deadline=None)
@given(rows=st.integers(1, 10), classes=st.integers(2, 4), seed=st.integers(0, 10_000), code=st.integers(0, 1))
@example(rows=1, classes=2, seed=456, code=1)  # a single row of probability .0009, and so a threshold as low
def test_the_threshold_of_a_class_is_the_best_of_all_choices_of_rows(rows, classes, seed, code):
    p, _ = drawn(rows, classes, seed)
    answers = decide(p, utility_of(Aim("f1", code=code), p, p.mean(axis=0)))
    best = max(expected_f1(p[:, code], np.array(choice, dtype=bool)) for choice in product((False, True), repeat=rows))
    assert expected_f1(p[:, code], answers == code) >= best - 1e-5
    others = np.delete(p, code, axis=1)
    of_others = np.delete(np.arange(classes), code)[others.argmax(axis=1)]
    assert (answers[answers != code] == of_others[answers != code]).all()


def test_the_threshold_is_half_of_the_best_f1_and_serves_new_rows():
    p, y = drawn(20_000, 3, 0, lean=1.5)
    known, new = slice(0, 10_000), slice(10_000, None)
    utility = utility_of(Aim("f1", code=2), p[known], p[known].mean(axis=0))
    grid = np.linspace(0.05, 0.9, 400)
    counted = [f1_score(y[known] == 2, p[known, 2] > t) for t in grid]
    assert 1 - utility[2, 2] == pytest.approx(max(counted) / 2, abs=0.01)
    answers = decide(p[new], utility)
    scores = [f1_score(y[new] == 2, called) for called in (answers == 2, p[new].argmax(axis=1) == 2)]
    assert scores[0] > scores[1] + 0.02
    assert scores[0] > max(f1_score(y[new] == 2, p[new, 2] > t) for t in grid) - 0.01


def test_a_class_that_no_row_can_be_of_is_never_answered():
    p = np.array([[0.7, 0.3, 0.0], [0.4, 0.6, 0.0]])
    answers = decide(p, utility_of(Aim("f1", code=2), p, p.mean(axis=0)))
    assert answers.tolist() == [0, 1]


def test_macro_f1_is_served_by_a_power_of_the_shares_that_new_rows_confirm():
    p, y = drawn(20_000, 5, 0, sharpness=1.5)
    known, new = slice(0, 10_000), slice(10_000, None)
    shares = np.bincount(y[known]) / 10_000
    utility = utility_of(Aim("macro_f1"), p[known], shares)
    powers = {a: f1_score(y[known], decide(p[known], shares**-a), average="macro") for a in (0, 0.25, 0.5, 0.75, 1.0)}
    nearest = min(powers, key=lambda a: np.abs(shares**-a - utility).max())
    np.testing.assert_allclose(utility, shares**-nearest)
    assert powers[nearest] > max(powers.values()) - 0.005
    scores = [
        f1_score(y[new], answers, average="macro") for answers in (decide(p[new], utility), p[new].argmax(axis=1))
    ]
    assert scores[0] > scores[1] + 0.005


@pytest.mark.parametrize("aim", [Aim("f1", code=1), Aim("macro_f1")])
def test_of_no_held_out_rows_nothing_can_be_expected(aim):
    assert utility_of(aim, np.zeros((0, 3)), np.ones(3) / 3) is None
