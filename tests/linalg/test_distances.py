"""Squared distances: every form against SciPy's, row by row."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from headstart.linalg.distances import apart, expanded, expanded_among, squared_distances, unit_gamma

X, Y = np.random.default_rng(4).normal(size=(2, 60, 40))
FORMS = {
    "from the middle": squared_distances,
    "exact or one product": apart,
    "expanded": expanded,
    "expanded, tensors": lambda x, y: expanded(torch.from_numpy(x), torch.from_numpy(y)).numpy(),
    "among, tensors": lambda x, y: expanded_among(torch.from_numpy(np.concatenate([x, y])))[: len(x), len(x) :].numpy(),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("width", [3, 40])
def test_every_form_is_the_squared_distance(form, width):
    x, y = (np.ascontiguousarray(rows[:, :width]) for rows in (X, Y))
    np.testing.assert_allclose(form(x, y), cdist(x, y, "sqeuclidean"), rtol=1e-12, atol=1e-12)
    assert (form(x, x) >= 0).all()


def test_the_expansion_is_taken_in_one_order():
    x, y = X[:, :8], Y[:, :8]
    ours = (x * x).sum(1)[:, None] - 2 * (x @ y.T) + (y * y).sum(1)
    np.testing.assert_array_equal(expanded(x, y), np.maximum(ours, 0))


def test_squared_distances_far_from_the_origin():
    draw = np.random.default_rng(0)
    rows, centres = draw.normal(size=(5000, 3)) + 1e5, draw.normal(size=(7, 3)) + 1e5
    np.testing.assert_allclose(squared_distances(rows, centres), cdist(rows, centres) ** 2, atol=1e-9)


def test_the_unit_of_a_width_is_the_median_of_rows_that_differ():
    assert unit_gamma(np.array([0.0, 1.0, 4.0, 9.0])) == 0.25
    assert unit_gamma(np.zeros(3)) == 1.0
