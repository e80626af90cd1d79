"""What holds for every weighing of source rows, and the kernels that some of them share."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from headstart.adaptation.alignment.step import Align, Domains
from headstart.adaptation.estimators.adapted import Adapted
from headstart.adaptation.reweighting.bbse import BBSE
from headstart.adaptation.reweighting.discriminator import DiscriminatorWeights
from headstart.adaptation.reweighting.kliep import KLIEP
from headstart.adaptation.reweighting.kmm import KMM
from headstart.adaptation.reweighting.mlls import MLLS
from headstart.adaptation.reweighting.nearest_neighbours import NearestNeighbourWeights
from headstart.adaptation.reweighting.rulsif import ULSIF, RuLSIF
from headstart.adaptation.reweighting.weights import effective, weighed
from headstart.checks import between, whole
from headstart.linalg.gaussian import mean_kernel, median_gamma
from headstart.linalg.moments import blocks

BY_FEATURES: list[Align] = [KMM(), RuLSIF(), ULSIF(), KLIEP(), NearestNeighbourWeights(), DiscriminatorWeights()]
BY_LABELS: list[Align] = [BBSE(), BBSE(soft=False), MLLS()]


def _shifted() -> Domains:
    """Two classes apart in the first column; the target has more of the second."""
    draw = np.random.default_rng(0)
    y, z = np.repeat([0, 1], [80, 40]), np.repeat([0, 1], [20, 60])
    source, target = draw.normal(size=(120, 2)), draw.normal(size=(80, 2))
    source[:, 0] += 2 * y
    target[:, 0] += 2 * z
    return Domains(source, y, target, None, 2)


@pytest.mark.parametrize("step", BY_FEATURES + BY_LABELS)
def test_every_weighing(step: Align) -> None:
    domains = _shifted()
    before = [rows.copy() for rows in (domains.source, domains.targets, domains.target)]
    aligned = step(domains)
    assert isinstance(step, Align)
    assert aligned.weights is not None
    assert aligned.weights.shape == (120,)
    assert aligned.weights.mean() == pytest.approx(1)
    assert aligned.weights.min() >= 0
    assert aligned.weights[80:].mean() > 1.2 > 0.9 > aligned.weights[:80].mean()
    assert aligned.facts["effective"] == pytest.approx(effective(aligned.weights))
    assert isinstance(aligned.facts["clipped"], bool)
    json.dumps(aligned.facts)
    for rows, was in zip((domains.source, domains.targets, domains.target), before, strict=True):
        np.testing.assert_array_equal(rows, was)
    np.testing.assert_array_equal(step(domains).weights, aligned.weights)


@pytest.mark.parametrize("step", BY_FEATURES + BY_LABELS)
def test_identical_tasks_and_own_weights(step: Align) -> None:
    domains = _shifted()
    own = np.linspace(0.5, 1.5, 120)
    same = step(domains._replace(target=domains.source.copy(), weights=own))
    np.testing.assert_allclose(same.weights, own)
    assert same.facts["identical"] is True
    product = step(domains).weights * own
    np.testing.assert_allclose(step(domains._replace(weights=own)).weights, product / product.mean())


def _fitted(step: Align | None, domains: Domains) -> Adapted:
    X, domain = np.concatenate([domains.source, domains.target]), np.repeat([1, -1], [120, 80])
    y = np.concatenate([np.array(["no", "yes"])[domains.targets], np.full(80, "unknown")])
    return Adapted(step, LogisticRegression()).fit(X, y, sample_domain=domain)


@pytest.mark.parametrize("step", BY_FEATURES + BY_LABELS)
def test_an_estimator_gets_the_weights(step: Align) -> None:
    domains = _shifted()
    by_hand = LogisticRegression().fit(domains.source, domains.targets, sample_weight=step(domains).weights)
    np.testing.assert_allclose(
        _fitted(step, domains).predict_proba(domains.target), by_hand.predict_proba(domains.target), rtol=1e-8
    )


@pytest.mark.parametrize("step", BY_LABELS)
def test_shares_of_classes_help_under_label_shift(step: Align) -> None:
    """Weights by features are not asked to: P(y | x) differs here."""
    domains, answers = _shifted(), np.repeat(["no", "yes"], [20, 60])
    plain, adapted = (log_loss(answers, _fitted(way, domains).predict_proba(domains.target)) for way in (None, step))
    assert adapted < plain - 0.02


def test_means_of_kernels_by_blocks() -> None:
    draw = np.random.default_rng(0)
    rows, target = draw.normal(size=(1500, 2)), draw.normal(size=(1300, 2))
    k = np.exp(-0.5 * cdist(rows, target) ** 2)
    np.testing.assert_allclose(mean_kernel(rows, target, 0.5), k.mean(axis=1))


def test_the_median_width() -> None:
    assert median_gamma(np.array([[0.0], [3.0]]), np.array([[3.0]])) == pytest.approx(1 / 18)
    assert median_gamma(np.zeros((9, 1)), np.array([[2.0]])) > 0
    assert median_gamma(np.zeros((3, 2)), np.zeros((2, 2))) == 1


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_the_median_of_wide_rows_is_that_of_plain_distances(offset: float) -> None:
    rows = np.random.default_rng(0).normal(size=(60, 50)) + offset
    assert median_gamma(rows[:40], rows[40:]) == pytest.approx(1 / (2 * np.median(pdist(rows)) ** 2), rel=1e-9)
    twice = np.repeat(rows[:1] + np.linspace(0, 1e-7, 20)[:, None], 2, axis=0)
    twice[0] += 1e3
    assert median_gamma(twice, twice) == pytest.approx(1 / (2 * np.median(pdist(np.vstack([twice, twice]))) ** 2))
    assert [part.stop - part.start for part in blocks(10, 4)] == [4, 4, 2]


def test_weights_that_are_nothing_and_options_out_of_range() -> None:
    with pytest.raises(ValueError, match="add up to 0: no source row is near a target row"):
        weighed(_shifted(), np.zeros(120), {})
    with pytest.raises(ValueError, match="add up to nan"):
        weighed(_shifted(), np.full(120, np.nan), {})
    with pytest.raises(ValueError, match="share is nan: expected a number from 0 to 1"):
        between("share", float("nan"), 0, 1)
    for odd in (2.5, True, float("nan"), 0):
        with pytest.raises(ValueError, match=f"rows={odd}: expected a whole number, 1 or more"):
            whole("rows", odd, 1)  # type: ignore[arg-type]
    assert effective(np.array([3.0, 0, 0])) == 1
