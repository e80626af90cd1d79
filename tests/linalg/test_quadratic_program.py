"""The quadratic programme: the conditions of its optimum, in the box and in the band."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.linalg.quadratic_program import Factored, solve_programme


@pytest.mark.parametrize("bound", [0.9, 2.0, 1000.0])
@pytest.mark.parametrize("band", [(0.0, 1e6), (40.0, 40.0), (3.0, 4.0), (15.0, 16.0)])
@pytest.mark.parametrize("smooth", [0.3, 30.0])
def test_conditions_of_the_optimum(bound: float, band: tuple[float, float], smooth: float) -> None:
    """No allowed move of weight between two rows, or of the sum within the band, lowers the objective."""
    x = np.linspace(-1, 1, 50)
    K = np.exp(-smooth * np.square(x[:, None] - x))
    q = 20 * np.exp(-3 * np.square(x - 0.4))
    w = solve_programme(K, q, bound, band)
    gradient = K @ w - q
    free, below, above = (w > 1e-4) & (w < bound - 1e-4), w <= 1e-4, w >= bound - 1e-4
    level = float(gradient[free].mean()) if free.any() else float(gradient[above].max())
    assert np.abs(gradient[free] - level).max(initial=0) < 1e-3
    assert gradient[below].min(initial=level) >= level - 1e-3
    assert gradient[above].max(initial=level) <= level + 1e-3
    assert band[0] - 1e-4 <= w.sum() <= band[1] + 1e-4
    assert w.min() >= 0
    assert w.max() <= bound
    if level > 1e-3:
        assert w.sum() == pytest.approx(band[0], abs=1e-4)
    if level < -1e-3:
        assert w.sum() == pytest.approx(band[1], abs=1e-4)


@pytest.mark.parametrize("columns", [3, 40, 60])
@pytest.mark.parametrize(("bound", "band"), [(2.0, (0.0, 1e6)), (1000.0, (40.0, 40.0)), (1000.0, (3.0, 4.0))])
def test_a_factor_instead_of_the_matrix(columns: int, bound: float, band: tuple[float, float]) -> None:
    """The same least objective; where the factor has as many columns as rows, the same weights."""
    draw = np.random.default_rng(columns)
    phi, q = draw.normal(size=(40, columns)), draw.normal(size=40) + 1
    if columns < 40:
        q = phi @ draw.normal(size=columns)
    K = phi @ phi.T
    one, two = solve_programme(K, q, bound, band), solve_programme(Factored(phi), q, bound, band)
    values = [w @ K @ w / 2 - q @ w for w in (one, two)]
    assert values[1] == pytest.approx(values[0], rel=1e-6, abs=1e-6)
    assert band[0] - 1e-4 <= two.sum() <= band[1] + 1e-4
    if columns >= 40:
        np.testing.assert_allclose(two, one, atol=1e-4)


def test_without_a_bound_in_reach_it_is_a_linear_system() -> None:
    K = np.array([[2.0, 0.5], [0.5, 1.0]])
    np.testing.assert_allclose(
        solve_programme(K, np.array([3.0, 2.0]), 100.0, (0.0, 100.0)), np.linalg.solve(K, [3, 2])
    )


def test_a_sum_that_the_box_cannot_reach() -> None:
    with pytest.raises(
        ValueError, match=r"2 weights of at most 0\.5 cannot add up to 2: expected a bound of at least 1"
    ):
        solve_programme(np.eye(2), np.ones(2), 0.5, (2.0, 3.0))
