"""Weights by telling tasks apart: scikit-learn's models, rows not seen, the true ratio, memory, and bad options."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression

from headstart.adaptation.alignment.step import Domains
from headstart.adaptation.reweighting.cross_fit import cross_fit
from headstart.adaptation.reweighting.discriminator import DiscriminatorWeights


def _shifted(n: int = 300, m: int = 200, d: int = 3, seed: int = 0) -> Domains:
    draw = np.random.default_rng(seed)
    target = draw.normal(size=(m, d))
    target[:, 0] += 1
    return Domains(draw.normal(size=(n, d)), np.zeros(n), target)


@pytest.mark.parametrize("classes", [2, 3])
def test_each_model_is_scikit_learns_without_its_fold(classes: int) -> None:
    draw = np.random.default_rng(3)
    X, y = draw.normal(size=(90, 4)) * [1, 5, 0.1, 1] + 2, np.arange(90) % classes
    X[:, 0] += y
    fit = cross_fit((X[:40], X[40:]), y, C=0.7, folds=3, seed=0)
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    unseen = np.concatenate([fit.unseen(X[:40]), fit.unseen(X[40:], 40)])
    for number in range(3):
        seen = fit.fold != number
        theirs = LogisticRegression(C=0.7 * (2 if classes == 2 else 1), tol=1e-8, max_iter=5000).fit(Z[seen], y[seen])
        odds = theirs.decision_function(Z)
        whole = ours = X @ fit.W[number] + fit.b[number]
        ours = ours @ [-1, 1] if classes == 2 else ours - ours.mean(axis=1, keepdims=True)
        np.testing.assert_allclose(ours, odds if classes == 2 else odds - odds.mean(axis=1, keepdims=True), atol=2e-3)
        np.testing.assert_allclose(unseen[~seen], whole[~seen])


def test_folds_hold_every_class() -> None:
    codes = np.repeat([0, 1, 2], [50, 7, 2])
    fit = cross_fit((np.random.default_rng(0).normal(size=(59, 2)),), codes, C=1.0, folds=5, seed=0)
    for number in range(5):
        assert set(codes[fit.fold != number]) == {0, 1, 2}
        assert abs((fit.fold == number).sum() - 59 / 5) < 1


def test_a_row_is_not_weighed_by_a_model_that_saw_it() -> None:
    """As many features as rows and no shift: a model tells rows apart that it saw, and none that it did not."""
    draw = np.random.default_rng(0)
    domains = Domains(draw.normal(size=(60, 120)), np.zeros(60), draw.normal(size=(60, 120)))
    assert 0.3 < float(str(DiscriminatorWeights()(domains).facts["told_apart"])) < 0.7


def test_is_about_as_near_the_true_ratio_as_maximum_likelihood() -> None:
    """Which sees every row that it weighs. One draw misses by .04 to .17, so the mean of ten is asked for."""
    ours, theirs = [], []
    for seed in range(10):
        domains = _shifted(2000, 1000, seed=seed)
        both, codes = np.concatenate([domains.source, domains.target]), np.repeat([0, 1], [2000, 1000])
        whole = LogisticRegression(C=np.inf, tol=1e-8, max_iter=5000).fit(both, codes)
        odds = np.exp(whole.decision_function(domains.source))
        true = norm.pdf(domains.source[:, 0], 1) / norm.pdf(domains.source[:, 0])
        weights = DiscriminatorWeights(clip=None)(domains).weights
        assert weights is not None
        ours.append(np.abs(weights - true).mean())
        theirs.append(np.abs(odds / odds.mean() - true).mean())
    assert np.mean(theirs) < 0.1
    assert np.mean(ours) < 1.2 * np.mean(theirs)


def test_clipping() -> None:
    domains = _shifted()
    free, clipped = DiscriminatorWeights(clip=None)(domains), DiscriminatorWeights(clip=2.0)(domains)
    assert free.weights is not None
    assert clipped.weights is not None
    assert clipped.facts["clipped"]
    assert not free.facts["clipped"]
    assert (clipped.weights == clipped.weights.max()).mean() == pytest.approx(clipped.facts["share_clipped"])
    assert float(str(clipped.facts["effective"])) > float(str(free.facts["effective"]))


def test_identical_tasks_and_tasks_told_apart_without_error() -> None:
    domains = _shifted()
    np.testing.assert_array_equal(
        DiscriminatorWeights()(domains._replace(target=domains.source.copy())).weights, np.ones(300)
    )
    far = DiscriminatorWeights(clip=None)(domains._replace(target=domains.target + 1e4))
    assert far.facts["told_apart"] == 1
    assert far.weights is not None
    assert np.isfinite(far.weights).all()


def test_memory_beyond_the_data_is_a_few_blocks() -> None:
    domains = _shifted(6000, 6000, 64)
    tracemalloc.start()
    DiscriminatorWeights()(domains)
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert taken < domains.source.nbytes


def test_a_constant_feature() -> None:
    domains = _shifted()
    flat = domains._replace(source=domains.source.copy(), target=domains.target.copy())
    flat.source[:, 2] = flat.target[:, 2] = 1e6 + 0.1
    weights = DiscriminatorWeights()(flat).weights
    assert weights is not None
    without = DiscriminatorWeights()(Domains(flat.source[:, :2], flat.targets, flat.target[:, :2])).weights
    np.testing.assert_allclose(weights, without, atol=1e-3)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (DiscriminatorWeights(C=0.0), "C=0.0"),
        (DiscriminatorWeights(C=float("inf")), "C=inf: expected a finite number, more than 0"),
        (DiscriminatorWeights(clip=float("nan")), "clip is nan"),
        (DiscriminatorWeights(folds=1), "folds=1: expected a whole number, 2 or more"),
    ],
)
def test_bad_options(step: DiscriminatorWeights, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        step(_shifted())


def test_one_target_row() -> None:
    with pytest.raises(ValueError, match=r"the target has 1 row\(s\): expected at least 2, for no row is weighed"):
        DiscriminatorWeights()(_shifted(5, 1))
