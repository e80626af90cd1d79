"""Nystroem features: their products against the kernel, and against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.kernel_approximation import Nystroem
from sklearn.metrics.pairwise import rbf_kernel

from headstart.linalg import moments
from headstart.linalg.nystroem import inverse_root, nystroem

DRAW = np.random.default_rng(4)
ROWS = DRAW.normal(size=(30, 3))


@pytest.mark.parametrize("block", [7, 4096])
def test_products_are_the_kernel_where_one_row_is_a_landmark(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moments, "BLOCK", block)
    phi = nystroem(ROWS[:12], 0.4)
    np.testing.assert_allclose(phi(ROWS) @ phi(ROWS[:12]).T, rbf_kernel(ROWS, ROWS[:12], gamma=0.4), atol=1e-10)


def test_products_are_those_of_another_library() -> None:
    other = Nystroem(gamma=0.4, n_components=12, random_state=0).fit(ROWS)
    mine, theirs = nystroem(other.components_, 0.4)(ROWS), other.transform(ROWS)
    np.testing.assert_allclose(mine @ mine.T, theirs @ theirs.T, atol=1e-8)


def test_landmarks_that_repeat_themselves() -> None:
    twice = nystroem(np.repeat(ROWS[:5], 2, axis=0), 0.4)(ROWS)
    assert twice.shape == (30, 5)
    once = nystroem(ROWS[:5], 0.4)(ROWS)
    np.testing.assert_allclose(twice @ twice.T, once @ once.T, atol=1e-10)


def test_the_root_of_an_inverse_leaves_flat_axes_out() -> None:
    gram = ROWS[:, :2] @ ROWS[:, :2].T
    root = inverse_root(gram, 1e-10)
    assert root.shape == (len(ROWS), 2)
    np.testing.assert_allclose(root.T @ gram @ root, np.eye(2), atol=1e-10)
