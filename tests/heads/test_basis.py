"""The basis: an exact rotation, whichever Gram matrix it comes from."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.heads.basis import principal


def draw(n, d, dtype=np.float64):
    rng = np.random.default_rng(0)
    features = (rng.standard_normal((n, d)) + 5 * rng.standard_normal(d)).astype(dtype)
    weights = rng.random(n) + 0.5
    return features, np.arange(n)[::-1].copy(), weights / weights.mean()


def standardised(basis, features, order):
    return (features[order] - basis.standard.mean) / basis.standard.scale


@pytest.mark.parametrize(("n", "d"), [(30, 70), (70, 30), (40, 40), (2500, 8), (8, 2500)])
def test_rows_are_orthogonal_and_carry_the_same_inner_products(n, d):
    features, order, weights = draw(n, d)
    basis = principal(features, order, weights)
    z = standardised(basis, features, order)
    np.testing.assert_allclose(
        basis.rows.T @ (weights[:, None] * basis.rows), np.diag(basis.squares), atol=1e-8 * n * d
    )
    np.testing.assert_allclose(basis.rows[:, :-1] @ basis.rows[:, :-1].T, z @ z.T, atol=1e-9 * d)
    assert (np.diff(basis.squares[:-1]) <= 0).all()
    assert len(basis.squares) - 1 <= min(n - 1, d)


@pytest.mark.parametrize(("n", "d"), [(30, 70), (70, 30)])
def test_lifted_weights_give_the_same_logits_at_the_same_length(n, d):
    features, order, weights = draw(n, d)
    basis = principal(features, order, weights)
    v = np.random.default_rng(1).standard_normal((len(basis.squares) - 1, 3))
    lifted = basis.lift(v)
    np.testing.assert_allclose(standardised(basis, features, order) @ lifted, basis.rows[:, :-1] @ v, atol=1e-9)
    np.testing.assert_allclose(lifted.T @ lifted, v.T @ v, atol=1e-9)


def test_single_precision_rows_of_single_precision_features():
    basis = principal(*draw(50, 20, np.float32))
    assert basis.rows.dtype == np.float32
    assert basis.squares.dtype == np.float64


def test_features_that_never_change_leave_only_the_intercept():
    basis = principal(np.full((5, 3), 2.5), np.arange(5), np.ones(5))
    assert basis.rows.shape == (5, 1)
    assert basis.unit == 1.0
    assert basis.weakest > 0
    assert (basis.lift(np.zeros((0, 2))) == np.zeros((3, 2))).all()


def test_the_intercept_is_not_penalised():
    basis = principal(*draw(20, 4))
    assert basis.penalty(3.0).tolist() == [3, 3, 3, 3, 0]
