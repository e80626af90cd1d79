"""Least-squares ratios: the closed form, the true ratio, and bad options."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics.pairwise import rbf_kernel

from headstart.adaptation.alignment.step import Domains
from headstart.adaptation.reweighting.rulsif import ULSIF, RuLSIF


def _shifted(n: int = 400, m: int = 300, d: int = 1) -> Domains:
    draw = np.random.default_rng(0)
    return Domains(draw.normal(size=(n, d)), np.zeros(n), draw.normal(size=(m, d)) * 0.5 + 0.5)


def test_the_closed_form() -> None:
    domains = _shifted(40, 20, 2)
    aligned = RuLSIF(alpha=0.2, gamma=0.7, penalty=0.05)(domains)
    k_p, k_q = (rbf_kernel(rows, domains.target, gamma=0.7) for rows in (domains.source, domains.target))
    H = 0.8 * k_p.T @ k_p / 40 + 0.2 * k_q.T @ k_q / 20 + 0.05 * np.eye(20)
    w = np.maximum(k_p @ np.linalg.solve(H, k_q.mean(axis=0)), 0)
    np.testing.assert_allclose(aligned.weights, w / w.mean(), rtol=1e-8)


@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_comes_near_the_true_ratio(alpha: float) -> None:
    domains = _shifted(1500, 1500)
    weights = (RuLSIF(alpha=alpha) if alpha else ULSIF())(domains).weights
    x = domains.source[:, 0]
    p, q = norm.pdf(x), norm.pdf(x, 0.5, 0.5)
    true = q / (alpha * q + (1 - alpha) * p)
    assert weights is not None
    assert np.mean(np.abs(weights - true / true.mean())) < 0.12


def test_identical_tasks_weigh_nothing_and_two_draws_of_one_almost_nothing() -> None:
    domains = _shifted()
    same = domains._replace(target=domains.source.copy())
    np.testing.assert_array_equal(RuLSIF()(same).weights, np.ones(400))
    drawn = domains._replace(target=np.random.default_rng(5).normal(size=(400, 1)))
    assert float(str(ULSIF()(drawn).facts["effective"])) > 0.95 * 400


def test_facts() -> None:
    facts = ULSIF(centres=7)(_shifted()).facts
    assert facts["alpha"] == 0.0
    assert facts["centres"] == 7
    assert set(facts) == {"alpha", "gamma", "penalty", "loss", "centres", "clipped", "effective"}


def test_constant_features_and_more_features_than_rows() -> None:
    for source, target in ((np.ones((5, 2)), np.ones((3, 2))), (np.eye(5, 30), np.eye(4, 30) * 2)):
        weights = RuLSIF()(Domains(source, np.zeros(5), target)).weights
        assert weights is not None
        assert weights.mean() == pytest.approx(1)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (RuLSIF(alpha=1.0), "alpha is 1.0: expected a number from 0"),
        (RuLSIF(alpha=float("nan")), "alpha is nan"),
        (ULSIF(gamma=-1.0), "gamma=-1.0"),
        (ULSIF(penalty=0.0), "penalty=0.0"),
        (ULSIF(centres=0), "centres=0: expected a whole number, 1 or more"),
    ],
)
def test_bad_options(step: RuLSIF, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        step(_shifted())


def test_one_target_row() -> None:
    with pytest.raises(ValueError, match=r"the target has 1 row\(s\): expected at least 2, for a row is left out"):
        ULSIF()(_shifted(5, 1))


def test_no_source_row_near_the_target() -> None:
    domains = _shifted()
    with pytest.raises(ValueError, match=r"add up to 0: no source row is near a target row.*use a wider kernel"):
        ULSIF(gamma=1.0)(domains._replace(target=domains.target + 1e6))


def test_a_penalty_that_rounding_swallows_and_options_that_leave_nothing_to_choose() -> None:
    aligned = ULSIF(gamma=1e-9, penalty=1e-19)(_shifted(50, 40))
    assert aligned.weights is not None
    assert np.isfinite(aligned.weights).all()
    assert aligned.facts["loss"] is None
    assert ULSIF(gamma=1.0)(_shifted()).facts["loss"] is not None
