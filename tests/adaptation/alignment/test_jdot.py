"""JDOT against its two steps written out, and what it promises."""

from __future__ import annotations

import numpy as np
import ot
import pytest
from scipy.spatial.distance import cdist
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression
from two_tasks import make_classification_da

from headstart.adaptation.alignment.jdot import JDOT
from headstart.adaptation.alignment.step import Align, Domains
from headstart.adaptation.estimators.adapted import Adapted
from headstart.linalg.kernels import width

DRAW = np.random.default_rng(5)
SOURCE, TARGET = DRAW.normal(size=(30, 2)), DRAW.normal(size=(24, 2)) + np.array([1.0, 0.5])


def naive(y, scale, weights, rounds):
    """Plan and kernel ridge in turns, by POT and scikit-learn."""
    gamma = width(np.concatenate([SOURCE, TARGET]))
    ways = cdist(SOURCE, TARGET, "sqeuclidean")
    ways *= 0.5 / ways.max()
    cost = ways
    for _ in range(rounds):
        plan = ot.emd(weights / weights.sum(), np.full(24, 1 / 24), cost)
        brought = 24 * plan.T @ y
        mean = brought.mean(0)
        f = mean + KernelRidge(alpha=0.1 * 24, kernel="rbf", gamma=gamma).fit(TARGET, brought - mean).predict(TARGET)
        cost = ways + cdist(y, f, "sqeuclidean") / scale
    return brought, np.vdot(plan, cost)


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_the_turns_written_out(rounds):
    weights = np.linspace(0.5, 1.5, 30)
    values = np.sin(SOURCE[:, 0]) * 3
    aligned = JDOT(alpha=0.5, penalty=0.1, rounds=rounds)(Domains(SOURCE, values, TARGET, None, 0, weights))
    brought, cost = naive(values[:, None], values.var(), weights, aligned.facts["rounds"])
    np.testing.assert_allclose(aligned.targets, brought[:, 0], atol=1e-5)
    assert aligned.facts["cost"] == pytest.approx(cost, rel=1e-5)
    codes = (SOURCE[:, 0] > 0).astype(int) + (SOURCE[:, 1] > 0)
    aligned = JDOT(alpha=0.5, penalty=0.1, rounds=rounds)(Domains(SOURCE, codes, TARGET, None, 3, weights))
    brought, cost = naive(np.eye(3)[codes], 1.0, weights, aligned.facts["rounds"])
    assert aligned.facts["cost"] == pytest.approx(cost, rel=1e-5)
    learnt = np.zeros((24, 3))
    row = [int(np.flatnonzero((x == TARGET).all(1))[0]) for x in aligned.source]
    learnt[row, aligned.targets] = aligned.weights
    np.testing.assert_allclose(learnt / learnt.sum(), brought / 24, atol=1e-6)
    assert aligned.weights.mean() == pytest.approx(1)


def test_a_shift_is_followed():
    """Two tasks that differ by a shift alone: every target row gets the answer of its source row."""
    for classes, answers in ((0, SOURCE[:, 0] * 2), (2, (SOURCE[:, 0] > 0).astype(int))):
        aligned = JDOT()(Domains(SOURCE, answers, SOURCE + np.array([5.0, -3.0]), None, classes))
        np.testing.assert_allclose(aligned.targets, answers, atol=1e-9)


def test_in_an_estimator():
    two = make_classification_da()
    x, y = np.concatenate([two.source, two.target]), np.concatenate([two.targets, two.answers])
    model = Adapted(JDOT(), LogisticRegression()).fit(x, y, sample_domain=np.repeat([1, -1], 100))
    assert model.score(two.target, two.answers) > 0.88
    assert isinstance(JDOT(), Align)


def test_one_target_row_a_class_of_one_row_and_identical_tasks():
    codes = (np.arange(30) == 0).astype(int)
    one = JDOT()(Domains(SOURCE, codes, TARGET[:1], None, 2))
    np.testing.assert_allclose(one.weights, [58 / 30, 2 / 30], atol=1e-6)
    np.testing.assert_array_equal(one.targets, [0, 1])
    flat = JDOT()(Domains(np.ones((4, 2)), np.ones(4), np.ones((3, 2)), None, 0))
    np.testing.assert_allclose(flat.targets, 1)
    assert JDOT()(Domains(SOURCE, codes, SOURCE.copy(), None, 2)).facts == {"identical": True}


def test_bad_input():
    with pytest.raises(
        ValueError, match=r"a plan between 30 and 24 rows would take 0.0 GB, above .*take mini-batches: set batch="
    ):
        JDOT(limit=1e-4)(Domains(SOURCE, np.zeros(30), TARGET))
    for option, bad, words in (
        ("alpha", 0, "finite number, more than 0"),
        ("penalty", float("nan"), "finite number, more than 0"),
        ("limit", float("inf"), "finite number, more than 0"),
        ("rounds", 1.5, "whole number, 1 or more"),
        ("batch", 1, "whole number, 2 or more"),
    ):
        with pytest.raises(ValueError, match=f"{option}=.*expected a {words}"):
            JDOT(**{option: bad})


def many(n=600, m=500):
    draw = np.random.default_rng(8)
    source = draw.normal(size=(n, 2))
    target = draw.normal(size=(m, 2)) + np.array([3.0, -2.0])
    return Domains(source, np.sin(source[:, 0]) + source[:, 1], target)


def test_batches_of_all_rows_are_the_one_plan():
    domains = many(90, 80)
    weighed = domains._replace(weights=np.linspace(0.5, 1.5, 90))
    for two in (domains, weighed):
        one, all_rows = JDOT()(two), JDOT(batch=90, seed=3)(two)
        np.testing.assert_allclose(all_rows.targets, one.targets, atol=1e-6)
        assert all_rows.facts["cost"] == pytest.approx(one.facts["cost"])


def test_small_batches_come_near_the_one_plan_and_take_less():
    domains = many()
    one, some = JDOT()(domains), JDOT(batch=100)(domains)
    truth = np.sin(domains.target[:, 0] - 3) + domains.target[:, 1] + 2
    assert np.corrcoef(some.targets, one.targets)[0, 1] > 0.95
    assert np.corrcoef(some.targets, truth)[0, 1] > 0.95
    assert (one.facts["plans"], some.facts["plans"]) == (1, 5)
    np.testing.assert_array_equal(some.targets, JDOT(batch=100)(domains).targets)
    assert not np.array_equal(some.targets, JDOT(batch=100, seed=1)(domains).targets)
    assert JDOT(batch=100).memory(6000, 5000) < JDOT().memory(6000, 5000) / 10


def test_rows_without_weight_are_in_no_batch():
    domains = many(300, 200)
    half = np.repeat([2.0, 0.0], 150)
    answers = np.where(half > 0, domains.targets, 1000.0)
    found = JDOT(batch=50)(domains._replace(targets=answers, weights=half))
    assert np.abs(found.targets).max() < 10


def test_several_answers_a_row_are_brought_together() -> None:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(40, 3))
    domains = Domains(x, x[:, :2] * 2, x + 0.5, None)
    brought = JDOT()(domains).targets
    assert brought.shape == (40, 2)
    first = JDOT()(domains._replace(targets=x[:, :1] * 2)).targets
    np.testing.assert_allclose(first[:, 0], JDOT()(domains._replace(targets=x[:, 0] * 2)).targets)
