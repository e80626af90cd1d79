"""The descent against scipy's minimiser, and what its gap promises."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from headstart.heads.basis import principal
from headstart.heads.descent import Objective, descend
from headstart.heads.likelihood import Likelihood


def draw(strength, n=80, d=10, problems=3):
    rng = np.random.default_rng(0)
    basis = principal(rng.standard_normal((n, d)) @ np.diag(2.0 ** -np.arange(d)), np.arange(n), np.ones(n))
    truth = (rng.integers(0, 4, n) == np.arange(4)[:, None, None]).astype(float)
    weights = (np.arange(n) % problems != np.arange(problems)[:, None]).astype(float)
    return Objective(basis.rows, basis.squares, Likelihood(truth, weights), basis.penalty(strength))


def loss(objective, flat):
    w = flat.reshape(4, 3, -1)
    z = objective.logits(w)
    value, p = objective.likelihood.value(z)
    return value.sum() + (objective.penalty * w * w).sum() / 2, objective.gradient(w, p).ravel()


@pytest.mark.parametrize("strength", [1e-2, 1.0, 100.0])
def test_the_minimum_is_that_of_scipy(strength):
    objective = draw(strength)
    found = descend(objective, np.zeros((4, 3, 11)), 1e-14)
    best = minimize(
        lambda x: loss(objective, x),
        np.zeros(132),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 10_000, "ftol": 1e-15, "gtol": 1e-9},
    )
    assert loss(objective, found.w.ravel())[0] == pytest.approx(best.fun, abs=1e-8)
    np.testing.assert_allclose(found.z, objective.logits(found.w), atol=1e-9)
    assert found.steps < 200


@pytest.mark.parametrize("tolerance", [1e-2, 1e-4, 1e-6])
def test_what_is_left_to_gain_is_about_what_the_gap_says(tolerance):
    objective = draw(0.1)
    rough, exact = (descend(objective, np.zeros((4, 3, 11)), t) for t in (tolerance, 1e-15))
    left = loss(objective, rough.w.ravel())[0] - loss(objective, exact.w.ravel())[0]
    assert rough.gap <= tolerance
    assert 0 <= left / (3 * 80) < 5 * tolerance


def test_a_minimum_is_not_left():
    objective = draw(1.0)
    found = descend(objective, np.zeros((4, 3, 11)), 1e-10)
    assert descend(objective, found.w, 1e-9).steps == 0
