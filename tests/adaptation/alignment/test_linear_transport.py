"""Linear transport against POT, skada, the printed distance, and what an optimal map is."""

from __future__ import annotations

import numpy as np
import ot
import pytest
from skadas import skada
from sklearn.linear_model import RidgeClassifier

from headstart.adaptation.alignment.linear_transport import LinearTransport
from headstart.adaptation.alignment.step import Align, Domains
from headstart.adaptation.estimators.adapted import Adapted

pytestmark = pytest.mark.usefixtures("routed")

DRAW = np.random.RandomState(0)
SOURCE = DRAW.randn(20, 2)
TARGET = DRAW.randn(30, 2) @ [[2, 0.5], [0.5, 1]] + np.array([3, 1])
ANSWERS = (SOURCE[:, 0] > 0).astype(int)


def domains(source=SOURCE, target=TARGET, weights=None):
    return Domains(source, np.arange(len(source)) % 2, target, None, 2, weights)


def test_printed_distance():
    assert LinearTransport()(domains()).facts["distance"] == pytest.approx(2.2219835390962146, abs=1e-11)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_map_is_pots(weighted):
    weights = np.linspace(0.5, 1.5, 20) if weighted else None
    aligned = LinearTransport(penalty=0)(domains(weights=weights))
    c_s = np.cov(SOURCE.T, bias=True, aweights=weights)
    mean_s = np.average(SOURCE, 0, weights)
    matrix, offset = ot.gaussian.bures_wasserstein_mapping(mean_s, TARGET.mean(0), c_s, np.cov(TARGET.T, bias=True))
    np.testing.assert_allclose(aligned.source, SOURCE @ matrix + offset, atol=1e-10)
    np.testing.assert_allclose(np.cov(aligned.source.T, bias=True, aweights=weights), np.cov(TARGET.T, bias=True))
    assert aligned.move(TARGET) is TARGET
    assert isinstance(LinearTransport(), Align)


def test_predictions_are_skadas():
    x, y = np.concatenate([SOURCE, TARGET]), np.concatenate([ANSWERS, np.full(30, -1)])
    domain = np.repeat([1, -2], [20, 30])
    theirs = skada.LinearOTMapping(RidgeClassifier(), reg=0.3).fit(x, y, sample_domain=domain)
    ours = Adapted(LinearTransport(penalty=0.3), RidgeClassifier()).fit(x, y, sample_domain=domain)
    new = np.random.default_rng(1).normal(size=(300, 2)) * 3 + 2
    np.testing.assert_array_equal(ours.predict(new), theirs.predict(new, sample_domain=np.full(300, -2)))


def test_the_rows_move_as_far_as_the_distance():
    """Where the target is an affine, symmetric image, the mean squared move is the distance squared."""
    aligned = LinearTransport(penalty=0)(domains())
    moved = np.sqrt(np.mean(np.sum((aligned.source - SOURCE) ** 2, axis=1)))
    assert aligned.facts["distance"] == pytest.approx(moved)
    back = LinearTransport(penalty=0)(domains(SOURCE, aligned.source))
    np.testing.assert_allclose(back.source, aligned.source, atol=1e-9)


def test_bad_input():
    assert LinearTransport()(domains(SOURCE, SOURCE.copy())).facts == {"identical": True}
    flat = SOURCE * np.array([1.0, 0.0]) + 4
    assert np.isfinite(LinearTransport()(domains(flat)).source).all()
    with pytest.raises(ValueError, match=r"source's covariance is singular .rank 1 of 2"):
        LinearTransport(penalty=0)(domains(flat))
    with pytest.raises(ValueError, match="the target has 1 row: expected 2 or more"):
        LinearTransport()(domains(SOURCE, TARGET[:1]))
    for bad in (-1, float("nan")):
        with pytest.raises(ValueError, match=r"penalty=.*expected a finite number, 0 or more, such as 1e-6"):
            LinearTransport(penalty=bad)
