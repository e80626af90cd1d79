"""Kernels, their width, and the rows they stand on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics.pairwise import pairwise_kernels

from headstart.linalg.kernels import kernel, landmarks, width

ROWS, Z = np.random.default_rng(3).normal(size=(2, 7, 3))


@pytest.mark.parametrize("name", ["rbf", "linear", "cosine"])
def test_kernels_are_scikit_learns(name):
    expected = pairwise_kernels(ROWS, Z, metric=name, **({"gamma": 0.7} if name == "rbf" else {}))
    np.testing.assert_allclose(kernel(name, ROWS, Z, 0.7), expected)


def test_a_row_of_zeros_has_cosine_0():
    assert (kernel("cosine", np.zeros((1, 3)), Z, 1.0) == 0).all()


@given(st.integers(1, 9), st.integers(1, 9), st.integers(2, 20))
def test_landmarks_come_from_both(n, m, most):
    source, target = np.arange(n)[:, None] * 1.0, -1.0 - np.arange(m)[:, None]
    drawn = landmarks(source, target, most, 0)[:, 0]
    assert len(drawn) == len(set(drawn)) == min(most, n + m)
    assert min((drawn >= 0).sum(), n) >= min(n, most // 2)
    assert min((drawn < 0).sum(), m) >= min(m, most // 2)
    np.testing.assert_array_equal(drawn, landmarks(source, target, most, 0)[:, 0])


def test_width():
    assert width(np.array([[0.0], [0.0], [2.0]])) == 0.25
    assert width(np.ones((3, 2))) == 1
