"""Sums over blocks against NumPy's over all rows."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.linalg import moments as room
from headstart.linalg.moments import affine, blocks, moments, power

ROWS = np.random.default_rng(0).normal(size=(23, 3)) + 1e3


@pytest.mark.parametrize("block", [1, 7, 100])
def test_blocks_change_nothing(monkeypatch, block):
    monkeypatch.setattr(room, "BLOCK", block)
    weights = np.linspace(0.5, 2, 23)
    found = moments(ROWS, weights)
    np.testing.assert_allclose(found.mean, np.average(ROWS, 0, weights))
    np.testing.assert_allclose(found.covariance, np.cov(ROWS.T, aweights=weights))
    np.testing.assert_allclose(moments(ROWS, biased=True).covariance, np.cov(ROWS.T, bias=True))
    matrix = np.arange(6.0).reshape(3, 2)
    np.testing.assert_allclose(affine(ROWS, ROWS[0], matrix, matrix[0]), (ROWS - ROWS[0]) @ matrix + matrix[0])
    assert affine(ROWS[:0], ROWS[0], matrix, matrix[0]).shape == (0, 2)
    assert [row for part in blocks(23) for row in range(23)[part]] == list(range(23))
    assert [part.stop - part.start for part in blocks(10, 4)] == [4, 4, 2]


def test_powers():
    matrix = np.cov(ROWS.T)
    root = power(matrix, 0.5, "source's")
    np.testing.assert_allclose(root @ root, matrix)
    np.testing.assert_allclose(power(matrix, -0.5, "source's") @ root, np.eye(3), atol=1e-12)
    flat = np.diag([1.0, 1.0, 0.0])
    np.testing.assert_allclose(power(flat, 0.5, "source's"), flat)
    for singular, rank in ((flat, 2), (np.zeros((3, 3)), 0)):
        with pytest.raises(ValueError, match=f"target's covariance is singular .rank {rank} of 3"):
            power(singular, -0.5, "target's")
