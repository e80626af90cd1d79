"""Kernel mean matching: ADAPT's figure, another solver's optimum, the optimum's conditions, and bad options."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics.pairwise import rbf_kernel
from two_tasks import make_classification_da, make_regression_da

from headstart.adaptation.alignment.step import Domains
from headstart.adaptation.estimators.adapted import Adapted
from headstart.adaptation.reweighting.kmm import KMM
from headstart.tasks.task import Array


def _shifted(n: int = 60, m: int = 50, d: int = 2) -> Domains:
    draw = np.random.default_rng(0)
    return Domains(draw.normal(size=(n, d)), np.zeros(n), draw.normal(size=(m, d)) * 0.6 + 0.7)


def _weights(step: KMM, domains: Domains) -> Array:
    found = step(domains).weights
    assert found is not None
    return found


def test_adapts_figure() -> None:
    tasks = make_classification_da()
    X = np.concatenate([tasks.source, tasks.target])
    y = np.concatenate([tasks.targets, np.full(100, -1)])
    fitted = Adapted(KMM(gamma=1.0), RidgeClassifier()).fit(X, y, sample_domain=np.repeat([1, -1], 100))
    assert fitted.score(tasks.target, tasks.answers) == 0.76


def test_the_optimum_is_that_of_another_solver() -> None:
    """skada's KMM with its SciPy solver, run to 1e-12 on the same data: -4090.762465518; the sum is 99.76."""
    tasks = make_classification_da()
    w = _weights(KMM(gamma=1.0), tasks.domains())
    K, kappa = rbf_kernel(tasks.source, gamma=1.0), 100 * rbf_kernel(tasks.source, tasks.target, gamma=1.0).mean(axis=1)
    w = w * 0.9975961677
    assert w @ K @ w / 2 - kappa @ w == pytest.approx(-4090.762465518, abs=1e-5)


def test_a_sum_that_may_not_move() -> None:
    assert _weights(KMM(gamma=5.0, eps=0.0), _shifted()).mean() == pytest.approx(1)


def test_kernel_means_come_nearer() -> None:
    domains = _shifted()
    w = _weights(KMM(), domains)

    def mmd(weights: Array) -> float:
        cross = rbf_kernel(domains.source, domains.target).mean(axis=1)
        return float(weights @ rbf_kernel(domains.source) @ weights / 60**2 - 2 * weights @ cross / 60)

    assert mmd(w) < mmd(np.ones(60)) - 0.1


def test_weights_have_mean_one_and_rows_stay() -> None:
    domains = _shifted()
    aligned = KMM()(domains)
    assert aligned.weights is not None
    assert aligned.weights.mean() == pytest.approx(1)
    assert aligned.weights.min() >= 0
    assert aligned.facts["effective"] == pytest.approx(60**2 / np.square(aligned.weights).sum())
    assert aligned.source is domains.source
    assert aligned.move(domains.target) is domains.target


def test_rows_come_with_weights_of_their_own() -> None:
    domains = _shifted()
    own = np.linspace(0.5, 1.5, 60)
    product = _weights(KMM(), domains) * own
    np.testing.assert_allclose(_weights(KMM(), domains._replace(weights=own)), product / product.mean())


def test_identical_tasks_weigh_nothing() -> None:
    domains = _shifted()
    aligned = KMM()(domains._replace(target=domains.source.copy()))
    np.testing.assert_array_equal(aligned.weights, np.ones(60))
    assert aligned.facts["identical"] is True


def test_a_kernel_that_stands_on_fewer_rows() -> None:
    domains = _shifted(400, 200, 5)
    some = KMM(most=150)(domains)
    assert some.facts["rows"] == 150
    assert some.weights is not None
    near = np.square(domains.source - 0.7).sum(axis=1)
    assert some.weights[near < 4].mean() > 1.5 * some.weights[near > 8].mean()
    np.testing.assert_array_equal(_weights(KMM(most=150), domains), some.weights)
    assert not np.array_equal(_weights(KMM(most=150, seed=1), domains), some.weights)
    np.testing.assert_allclose(_weights(KMM(most=600), domains), _weights(KMM(), domains), atol=1e-3)
    assert np.corrcoef(some.weights, _weights(KMM(), domains))[0, 1] > 0.9


def test_one_target_row_constant_features_and_more_features_than_rows() -> None:
    tasks = make_regression_da()
    assert _weights(KMM(), tasks.domains(classes=0)._replace(target=tasks.target[:1])).mean() == pytest.approx(1)
    assert _weights(KMM(), _shifted(20, 10, 40)).mean() == pytest.approx(1)
    flat = Domains(np.ones((5, 2)), np.zeros(5), np.ones((3, 2)))
    np.testing.assert_allclose(_weights(KMM(), flat), np.ones(5), atol=1e-6)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (KMM(gamma=0.0), "gamma=0.0"),
        (KMM(gamma=float("nan")), "gamma=nan: expected a finite number, more than 0"),
        (KMM(gamma=float("inf")), "gamma=inf: expected a finite number, more than 0"),
        (KMM(bound=0.5), "bound is 0.5: expected a number of at least 1"),
        (KMM(eps=2.0), "eps is 2.0: expected a number from 0 to 1"),
        (KMM(most=1), "most=1"),
        (KMM(limit=float("nan")), "limit=nan: expected a finite number"),
        (KMM(limit=1e-5), r"kernels of 60 source rows would take 0\.0 GB, above the limit of 1e-05 GB: set most="),
    ],
)
def test_bad_options(step: KMM, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        step(_shifted())


def test_no_source_row_near_the_target() -> None:
    domains = _shifted()
    far = KMM(gamma=1.0, most=20, eps=1.0)
    with pytest.raises(ValueError, match="no source row is near a target row at gamma 1: use a smaller gamma"):
        far(domains._replace(target=domains.target + 1e6))


def test_the_memory_is_refused_before_it_is_taken() -> None:
    big = Domains(np.zeros((200_000, 1)), np.zeros(200_000), np.zeros((3, 1)))
    with pytest.raises(ValueError, match=r"would take 640\.0 GB, above the limit of 2 GB: .*most=500"):
        KMM()(big)
    assert replace(KMM(), most=50)(big).facts["rows"] == 50


def test_the_memory_said_is_the_memory_taken() -> None:
    domains = _shifted(1200, 10)
    KMM(gamma=1.0)(_shifted())
    tracemalloc.start()
    try:
        KMM(gamma=1.0)(domains)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.15 * 16 * 1200**2


def test_few_rows_bring_the_kernel_means_as_near() -> None:
    domains = _shifted(500, 300)
    K, cross = (rbf_kernel(domains.source, rows, gamma=0.5) for rows in (domains.source, domains.target))

    def mmd(w: Array) -> float:
        inner = rbf_kernel(domains.target, gamma=0.5).mean()
        return float(w @ K @ w / 500**2 - 2 * w @ cross.mean(axis=1) / 500 + inner)

    assert mmd(_weights(KMM(gamma=0.5, most=60), domains)) < 1e-4 * mmd(np.ones(500))


def test_no_bound_is_a_bound_that_no_weight_reaches() -> None:
    draw = np.random.default_rng(0)
    domains = Domains(draw.normal(size=(30, 3)), np.arange(30) % 2, draw.normal(0.5, 1, (30, 3)), None, 2)
    free, loose = (KMM(bound=bound)(domains).weights for bound in (np.inf, 1000.0))
    assert free is not None
    np.testing.assert_allclose(free, loose, atol=1e-3)
    assert free.max() > 2
