"""The tail of a weighted sum of squared normals, against the distribution of equal weights and against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from headstart.linalg.chi_squares import upper_tail


@pytest.mark.parametrize("degrees", [1, 3, 40])
@pytest.mark.parametrize("p", [0.9, 0.5, 0.05, 1e-3, 1e-9])
def test_equal_weights_are_chi_square(degrees, p):
    value = 0.2 * chi2.isf(p, degrees)
    assert upper_tail(np.full(degrees, 0.2), value) == pytest.approx(p, rel=0.12)


def test_uneven_weights_are_as_simulated():
    weights = 1 / np.arange(1, 30) ** 2
    sums = np.square(np.random.default_rng(0).standard_normal((40_000, 29))) @ weights
    for p in (0.8, 0.3, 0.05, 0.01):
        assert upper_tail(weights, float(np.quantile(sums, 1 - p))) == pytest.approx(p, rel=0.15)


def test_it_has_no_gap_in_the_middle():
    weights = np.array([3.0, 1.0, 0.5])
    tails = [upper_tail(weights, value) for value in np.linspace(4.4, 4.6, 201)]
    assert (np.diff(tails) < 0).all()
    assert np.diff(tails).min() > -0.002


def test_the_ends():
    assert upper_tail(np.array([1.0]), -1.0) == 1
    assert upper_tail(np.array([]), 1.0) == 0
    assert upper_tail(np.array([]), -1.0) == 1
    assert upper_tail(np.array([0.0]), 1.0) == 0
    assert 0 <= upper_tail(np.array([1.0, 0.5]), 1e4) < 1e-300
    assert upper_tail(np.array([1.0, 0.5]), 1e-6) == pytest.approx(1, abs=1e-3)
