"""Plans against POT's printed costs, its own solver for classes, and what a plan must be."""

from __future__ import annotations

import sys

import numpy as np
import ot
import pytest
from scipy.optimize import linprog
from scipy.spatial.distance import cdist

from headstart.adaptation.alignment import plans
from headstart.adaptation.alignment.plans import by_class, entropic, exact, mapped, refuse_misplaced

DRAW = np.random.RandomState(0)
SOURCE = DRAW.randn(20, 2)
TARGET = DRAW.randn(30, 2) @ [[2, 0.5], [0.5, 1]] + np.array([3, 1])
COST = cdist(SOURCE, TARGET, "sqeuclidean")
A, B = np.full(20, 1 / 20), np.full(30, 1 / 30)
CODES = np.arange(20) % 3


def test_printed_costs():
    assert np.vdot(exact(COST, A, B), COST) == pytest.approx(5.626689581239157, abs=1e-11)
    assert np.vdot(entropic(COST, A, B, 1.0), COST) == pytest.approx(6.15988121504204, abs=1e-11)


def test_every_plan_moves_all_mass():
    masses = np.linspace(1, 3, 20) / np.linspace(1, 3, 20).sum()
    for plan in (exact(COST, masses, B), entropic(COST, masses, B, 0.5), by_class(COST, masses, B, CODES, (1, 0.1))):
        np.testing.assert_allclose(plan.sum(1), masses, atol=1e-6)
        np.testing.assert_allclose(plan.sum(0), B, atol=1e-6)
        assert (plan >= 0).all()


def test_exact_is_the_linear_programme():
    small = COST[:4, :5]
    rows, columns = np.repeat(np.eye(4), 5, axis=1), np.tile(np.eye(5), 4)
    found = linprog(small.ravel(), A_eq=np.concatenate([rows, columns]), b_eq=np.r_[np.full(4, 0.25), np.full(5, 0.2)])
    assert np.vdot(exact(small, np.full(4, 0.25), np.full(5, 0.2)), small) == pytest.approx(found.fun)


def test_entropic_holds_where_exponentials_do_not(monkeypatch):
    cold = entropic(COST, A, B, 0.03)
    np.testing.assert_allclose(cold.sum(0), B, atol=1e-4)
    half = np.repeat([0, 0.1], 10)
    np.testing.assert_allclose(entropic(COST, half, B, 0.03)[10:], entropic(COST[10:], half[10:], B, 0.03))
    assert np.vdot(cold, COST) == pytest.approx(np.vdot(exact(COST, A, B), COST), rel=1e-2)
    plain = entropic(COST, A, B, 0.5)
    monkeypatch.setattr(plans, "STEEP", 20.0)
    np.testing.assert_allclose(entropic(COST, A, B, 0.5), plain, atol=1e-9)


def test_classes_as_pot_solves_them():
    theirs = ot.da.sinkhorn_lpl1_mm(A, CODES, B, COST, 1.0, eta=0.5)
    np.testing.assert_allclose(by_class(COST, A, B, CODES, (1.0, 0.5)), theirs, atol=1e-7)
    np.testing.assert_allclose(by_class(COST, A, B, CODES, (1.0, 0.0)), entropic(COST, A, B, 1.0), atol=1e-7)


def test_mapped_is_the_mean_of_where_mass_goes():
    plan = np.array([[0.1, 0.3], [0.0, 0.0]])
    rows = np.array([[9.0, 9.0], [7.0, 7.0]])
    np.testing.assert_allclose(mapped(plan, rows, np.array([[0.0, 4.0], [4.0, 0.0]])), [[3, 1], [7, 7]])


def test_a_plan_that_has_not_settled_is_refused():
    early = entropic(COST, A, B, 0.03, steps=1)
    with pytest.raises(
        ValueError, match=r"reg=0.5 is too small.*% of the mass.*expected a larger one, such as reg=2, or"
    ):
        refuse_misplaced(early, A, B, 0.5)
    refuse_misplaced(entropic(COST, A, B, 0.5), A, B, 0.5)


def test_without_pot(monkeypatch):
    monkeypatch.setitem(sys.modules, "ot", None)
    with pytest.raises(ImportError, match=r"pip install 'headstart\[transport\]'"):
        exact(COST, A, B)
