"""Nearest-neighbour weights: counted by hand and by distance, and bad options."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from headstart.adaptation.alignment.step import Domains
from headstart.adaptation.reweighting.nearest_neighbours import NearestNeighbourWeights


def test_counts_of_cells() -> None:
    """Four target rows: three in the cell of 0, one in that of 10, none in that of 20."""
    domains = Domains(np.array([[0.0], [10], [20]]), np.zeros(3), np.array([[-3.0], [1], [4], [6]]))
    plain = NearestNeighbourWeights(prior=0.0)(domains)
    np.testing.assert_allclose(plain.weights, np.array([3, 1, 0]) * 3 / 4)
    assert plain.facts == {"k": 1, "empty": pytest.approx(1 / 3), "clipped": False, "effective": pytest.approx(1.6)}
    np.testing.assert_allclose(NearestNeighbourWeights()(domains).weights, np.array([4, 2, 1]) * 3 / 7)


@given(st.integers(0, 1000), st.integers(1, 4), st.integers(1, 20))
@settings(max_examples=25, deadline=None)
def test_counts_by_all_distances(seed: int, k: int, d: int) -> None:
    draw = np.random.default_rng(seed)
    source, target = draw.normal(size=(12, d)), draw.normal(size=(30, d))
    counts = np.bincount(np.argsort(cdist(target, source), axis=1)[:, :k].ravel(), minlength=12) / k + 0.5
    weights = NearestNeighbourWeights(k=k, prior=0.5)(Domains(source, np.zeros(12), target)).weights
    np.testing.assert_allclose(weights, counts / counts.mean())


def test_identical_tasks_one_target_row_and_constant_features() -> None:
    rows = np.random.default_rng(0).normal(size=(6, 2))
    np.testing.assert_array_equal(
        NearestNeighbourWeights()(Domains(rows, np.zeros(6), rows.copy())).weights, np.ones(6)
    )
    one = NearestNeighbourWeights(prior=0.0)(Domains(rows, np.zeros(6), rows[2:3]))
    np.testing.assert_allclose(one.weights, np.eye(6)[2] * 6)
    flat = NearestNeighbourWeights()(Domains(np.ones((3, 2)), np.zeros(3), np.ones((2, 2)))).weights
    assert flat is not None
    assert flat.mean() == pytest.approx(1)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (NearestNeighbourWeights(k=0), "k=0: expected a whole number, 1 or more"),
        (NearestNeighbourWeights(k=7), r"k is 7 and the source has 6 row\(s\): use k=6 or less"),
        (NearestNeighbourWeights(prior=float("nan")), "prior is nan"),
        (NearestNeighbourWeights(prior=-1.0), "prior is -1.0"),
    ],
)
def test_bad_options(step: NearestNeighbourWeights, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        step(Domains(np.zeros((6, 2)), np.zeros(6), np.zeros((2, 2))))
