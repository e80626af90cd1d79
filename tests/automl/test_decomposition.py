"""The decomposition against the matrix that it is of."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.automl import decompose


@pytest.mark.parametrize("direct", [0, 256])
def test_it_is_that_of_the_centred_features(monkeypatch, case, direct):
    monkeypatch.setattr("headstart.automl.decomposition.DIRECT", direct)
    x = np.asarray(case.features, np.float64)
    parts = decompose(case.features)
    centred = x - x.mean(axis=0)
    size = np.linalg.norm(centred)
    np.testing.assert_allclose(parts.centred, centred, atol=1e-8 * np.abs(x).max())
    np.testing.assert_allclose(parts.left.T @ parts.left, np.eye(len(parts.squares)), atol=1e-6)
    assert (np.diff(parts.squares) <= 1e-9 * parts.squares[0]).all()
    np.testing.assert_allclose(parts.rows @ parts.rows.T, centred @ centred.T, atol=1e-6 * size**2)
    assert len(parts.squares) <= min(len(x) - 1, x.shape[1])
    assert (parts.mean @ parts.mean) == pytest.approx(parts.along @ parts.along + parts.beyond, rel=0.5) or (
        len(x) > x.shape[1]
    )


def test_rank(cases):
    for name, rank in (
        ("repeated columns", 13),
        ("a large offset", 13),
        ("more columns than rows", 44),
        ("float32", 13),
    ):
        assert len(decompose(cases[name].features).squares) == rank
    assert len(decompose(np.ones((5, 3))).squares) == 0
    rows = np.random.default_rng(0).normal(size=(300, 270)).astype(np.float32)
    assert len(decompose(np.hstack([rows, rows])).squares) == 270


def test_a_column_of_rounding_is_constant():
    rng = np.random.default_rng(0)
    flat = np.float32(1e6) + rng.integers(0, 2, (50, 1)).astype(np.float32) * np.spacing(np.float32(1e6))
    assert len(decompose(np.hstack([flat, rng.normal(size=(50, 2)).astype(np.float32)])).squares) == 2


def test_whole_numbers_and_truths_are_features():
    rows = np.arange(12).reshape(4, 3) % 5
    np.testing.assert_array_equal(decompose(rows).squares, decompose(rows.astype(float)).squares)
    assert len(decompose([[True, False], [False, True], [True, True]]).squares) == 2
    parts = decompose(rows)
    assert decompose(parts) is parts
