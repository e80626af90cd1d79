"""KLIEP and the shares of a mixture: the optimum's conditions, the true ratio, and bad options."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics.pairwise import rbf_kernel

from headstart.adaptation.alignment.step import Domains
from headstart.adaptation.reweighting.kliep import KLIEP
from headstart.linalg.mixture import mixture_shares


def _shifted(n: int = 400, m: int = 300, d: int = 1) -> Domains:
    draw = np.random.default_rng(0)
    return Domains(draw.normal(size=(n, d)), np.zeros(n), draw.normal(size=(m, d)) * 0.5 + 0.5)


@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_shares_of_a_mixture_are_the_likeliest(seed: int, parts: int, rows: int) -> None:
    draw = np.random.default_rng(seed)
    r = draw.exponential(size=(rows, parts)) + 0.01
    pi = mixture_shares(r)
    assert pi.sum() == pytest.approx(1)
    best = np.log(r @ pi).mean()
    others = draw.dirichlet(np.full(parts, 0.5), 200)
    assert np.log(r @ others.T).mean(axis=0).max() <= best + 2e-5


def test_shares_by_count_are_those_of_repeated_rows() -> None:
    r = np.random.default_rng(0).exponential(size=(10, 3))
    counts = np.arange(10)
    np.testing.assert_allclose(mixture_shares(r, counts), mixture_shares(np.repeat(r, counts, axis=0)), rtol=1e-9)


def test_the_likelihood_is_the_greatest_that_a_general_solver_finds() -> None:
    from scipy.optimize import minimize

    domains = _shifted(40, 12)
    aligned = KLIEP(gamma=1.0)(domains)
    k_p, k_q = (rbf_kernel(rows, domains.target, gamma=1.0) for rows in (domains.source, domains.target))
    b = k_p.mean(axis=0)
    rule = {"type": "eq", "fun": lambda theta: b @ theta - 1}
    found = minimize(
        lambda theta: -np.log(k_q @ theta).mean(),
        np.full(12, 1 / b.sum()),
        bounds=[(0, None)] * 12,
        constraints=[rule],
        options={"maxiter": 2000, "ftol": 1e-14},
    )
    np.testing.assert_allclose(aligned.weights, k_p @ found.x, atol=0.03)


def test_comes_near_the_true_ratio() -> None:
    domains = _shifted(800, 800)
    weights = KLIEP()(domains).weights
    x = domains.source[:, 0]
    true = norm.pdf(x, 0.5, 0.5) / norm.pdf(x)
    assert weights is not None
    assert np.mean(np.abs(weights - true / true.mean())) < 0.12


def test_identical_tasks_weigh_nothing_and_two_draws_of_one_almost_nothing() -> None:
    domains = _shifted()
    np.testing.assert_array_equal(KLIEP()(domains._replace(target=domains.source.copy())).weights, np.ones(400))
    drawn = domains._replace(target=np.random.default_rng(5).normal(size=(400, 1)))
    assert float(str(KLIEP()(drawn).facts["effective"])) > 0.9 * 400


def test_the_width_chosen_holds_for_rows_held_out() -> None:
    facts = KLIEP(centres=20)(_shifted()).facts
    assert facts["centres"] == 20
    assert float(str(facts["likelihood"])) > 0.1


def test_constant_features_one_target_row_and_more_features_than_rows() -> None:
    flat = KLIEP()(Domains(np.ones((5, 2)), np.zeros(5), np.ones((3, 2))))
    np.testing.assert_allclose(flat.weights, np.ones(5))
    for step, source, target in (
        (KLIEP(), np.eye(5, 30), np.eye(4, 30) * 2),
        (KLIEP(gamma=1.0), np.eye(5), np.eye(1, 5)),
    ):
        weights = step(Domains(source, np.zeros(5), target + 0.01)).weights
        assert weights is not None
        assert weights.mean() == pytest.approx(1)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (KLIEP(gamma=float("nan")), "gamma=nan"),
        (KLIEP(centres=0), "centres=0"),
        (KLIEP(folds=1), "folds=1: expected a whole number, 2 or more"),
    ],
)
def test_bad_options(step: KLIEP, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        step(_shifted())


def test_one_target_row_has_none_to_hold_out() -> None:
    with pytest.raises(
        ValueError, match=r"the target has 1 row\(s\): expected at least 2, to choose the width.*give gamma"
    ):
        KLIEP()(_shifted(5, 1))


def test_no_source_row_near_the_target() -> None:
    domains = _shifted()
    with pytest.raises(ValueError, match="add up to 0: no source row is near a target row"):
        KLIEP(gamma=1.0)(domains._replace(target=domains.target + 1e6))
