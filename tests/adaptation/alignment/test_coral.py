"""CORAL against the printed figure, skada, and what it promises."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skadas import skada
from sklearn.linear_model import Ridge, RidgeClassifier
from two_tasks import make_classification_da, make_regression_da

from headstart.adaptation.alignment.coral import Coral
from headstart.adaptation.alignment.step import Align, Domains
from headstart.adaptation.estimators.adapted import Adapted

pytestmark = pytest.mark.usefixtures("routed")

DRAW = np.random.default_rng(0)
SOURCE = DRAW.normal(size=(60, 4)) @ DRAW.normal(size=(4, 4)) + 3
TARGET = DRAW.normal(size=(60, 4)) @ DRAW.normal(size=(4, 4)) - 1
ANSWERS = (SOURCE[:, 0] > 3).astype(int)


def domains(source=SOURCE, target=TARGET, weights=None):
    return Domains(source, np.arange(len(source)) % 2, target, None, 2, weights)


def test_printed_figures():
    two = make_classification_da()
    assert RidgeClassifier().fit(two.source, two.targets).score(two.target, two.answers) == 0.88
    aligned = Coral(penalty=1e-5, center=False)(two.domains())
    assert RidgeClassifier().fit(aligned.source, aligned.targets).score(two.target, two.answers) == 0.86
    line = make_regression_da()
    found = Ridge().fit(line.source, line.targets).score(line.target, line.answers)
    assert found == pytest.approx(0.6771931378706, abs=1e-11)


def test_moments_become_the_targets():
    aligned = Coral(penalty=0)(domains())
    np.testing.assert_allclose(np.cov(aligned.source.T), np.cov(TARGET.T), atol=1e-9)
    np.testing.assert_allclose(aligned.source.mean(0), TARGET.mean(0), atol=1e-9)
    assert aligned.move(TARGET) is TARGET
    assert isinstance(Coral(), Align)
    assert aligned.facts["mean_distance"] == pytest.approx(np.linalg.norm(SOURCE.mean(0) - TARGET.mean(0)))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_moments_of_weighted_rows_become_the_targets(seed):
    weights = np.random.default_rng(seed).uniform(0.1, 2, 60)
    aligned = Coral(penalty=0)(domains(weights=weights))
    np.testing.assert_allclose(np.cov(aligned.source.T, aweights=weights), np.cov(TARGET.T), atol=1e-8)
    np.testing.assert_allclose(np.average(aligned.source, 0, weights), TARGET.mean(0), atol=1e-8)
    assert aligned.weights is weights


def test_predictions_are_skadas():
    x, y = np.concatenate([SOURCE, TARGET]), np.concatenate([ANSWERS, np.full(60, -1)])
    domain = np.repeat([1, -2], 60)
    theirs = skada.CORAL(RidgeClassifier(), reg=None).fit(x, y, sample_domain=domain)
    ours = Adapted(Coral(penalty=0), RidgeClassifier()).fit(x, y, sample_domain=domain)
    new = np.random.default_rng(1).normal(size=(300, 4)) * 3 - 1
    np.testing.assert_array_equal(ours.predict(new), theirs.predict(new, sample_domain=np.full(300, -2)))


def test_fewer_rows_than_features_and_constant_features():
    draw = np.random.default_rng(2)
    wide = draw.normal(size=(5, 9)) + 7, draw.normal(size=(4, 9))
    wide[0][:, 2] = 5.0
    aligned = Coral()(domains(*wide))
    assert np.isfinite(aligned.source).all()
    np.testing.assert_allclose(aligned.source[:, 2].mean(), wide[1][:, 2].mean())
    with pytest.raises(ValueError, match=r"source's covariance is singular \(rank 4 of 9\).*set penalty higher"):
        Coral(penalty=0)(domains(*wide))


def test_identical_tasks_are_left_alone():
    aligned = Coral()(domains(SOURCE, SOURCE.copy()))
    assert aligned.source is SOURCE
    assert aligned.facts == {"identical": True}


def test_bad_input():
    for name, pair in {"target": (SOURCE, TARGET[:1]), "source": (SOURCE[:1], TARGET)}.items():
        with pytest.raises(ValueError, match=f"the {name} has 1 row: expected 2 or more"):
            Coral()(domains(*pair))
    with pytest.raises(ValueError, match=r"shapes \(60, 4\) and \(60, 3\): expected"):
        Coral()(domains(SOURCE, TARGET[:, :3]))
    with pytest.raises(ValueError, match="the target's features hold NaN or infinity"):
        Coral()(domains(SOURCE, np.where(TARGET > 2, np.inf, TARGET)))
    with pytest.raises(ValueError, match="all the weight is on one row"):
        Coral()(domains(weights=np.eye(60)[3] * 60))
    for bad in (-1, float("nan"), float("inf"), "1", True):
        with pytest.raises(ValueError, match=r"penalty=.*expected a finite number, 0 or more, such as 1e-5"):
            Coral(penalty=bad)


def test_no_copy_of_the_rows():
    """Beyond the rows and what becomes of them, a few blocks."""
    source, target = np.random.default_rng(3).normal(size=(2, 50_000, 16))
    tracemalloc.start()
    Coral()(domains(source, target))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < source.nbytes + source.nbytes / 2
