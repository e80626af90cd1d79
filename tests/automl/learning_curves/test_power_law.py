"""Power laws: exact curves are recovered, noisy ones fitted as well as by a general solver, and limits are kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.optimize import least_squares

from headstart.automl.learning_curves.power_law import HIGHEST, LOWEST, PowerLaw, fit_power_law, fit_power_laws

SIZES = np.array([10, 18, 32, 57, 101, 180, 320, 570])


def exact(a: float, b: float, c: float) -> np.ndarray:
    return a + b * SIZES.astype(float) ** -c


@given(st.floats(0, 0.6), st.floats(0.2, 4), st.floats(0.1, 1.8))
@example(0.0, 1.0, 0.5)
@example(0.0, 1.0, 0.011)
@example(0.3, 1.0, 1.99)
def test_an_exact_curve_is_recovered(a, b, c):
    law = fit_power_law(SIZES, exact(a, b, c), SIZES.astype(float))
    assert law.c == pytest.approx(c, rel=1e-4)
    assert law.b == pytest.approx(b, rel=1e-3)
    assert law.a == pytest.approx(a, abs=1e-4)
    assert not law.at_limit
    for rows in (1140, 2280):
        assert float(law.at(rows)) == pytest.approx(a + b * rows**-c, abs=1e-6)


@given(st.integers(0, 2**32 - 1), st.floats(0, 0.4), st.floats(0.3, 2), st.floats(0.1, 1.5))
def test_a_noisy_curve_is_fitted_at_least_as_well_as_by_a_general_solver(seed, a, b, c):
    random = np.random.default_rng(seed)
    errors = np.maximum(exact(a, b, c) + random.normal(size=len(SIZES)) * 0.05, 0)
    weights = random.uniform(0.2, 5, len(SIZES))
    root = np.sqrt(weights)
    reference = min(
        (
            least_squares(
                lambda p: root * (p[0] + p[1] * SIZES.astype(float) ** -p[2] - errors),
                (0.1, 1.0, start),
                bounds=((0, 0, LOWEST), (np.inf, np.inf, HIGHEST)),
            )
            for start in (0.05, 0.5, 1.5)
        ),
        key=lambda fitted: fitted.cost,
    )
    law = fit_power_law(SIZES, errors, weights)
    ours = 0.5 * float((weights * (law.at(SIZES) - errors) ** 2).sum())
    assert ours <= reference.cost * (1 + 1e-6) + 1e-12
    assert law.a >= 0
    assert law.b >= 0
    assert LOWEST <= law.c <= HIGHEST * (1 + 1e-12)


def test_many_curves_are_fitted_as_each_alone_and_a_weight_of_0_leaves_a_size_out():
    random = np.random.default_rng(0)
    errors = exact(0.1, 1, 0.4) + random.normal(size=(20, len(SIZES))) * 0.03
    weights = np.where(np.arange(len(SIZES)) >= random.integers(4, size=20)[:, None], SIZES, 0.0)
    together = np.stack(fit_power_laws(SIZES, errors, weights), axis=1)
    for curve, weight, law in zip(errors, weights, together, strict=True):
        kept = weight > 0
        np.testing.assert_allclose(law, fit_power_law(SIZES[kept], curve[kept], weight[kept]), rtol=1e-6, atol=1e-9)


def test_a_curve_that_does_not_fall_is_flat():
    law = fit_power_law(SIZES, np.linspace(0.2, 0.4, len(SIZES)), np.ones(len(SIZES)))
    assert law.b == 0
    assert law.a == pytest.approx(0.3)


@pytest.mark.parametrize(
    "errors", [0.3 + np.exp(-SIZES / 6), 0.5 - 0.002 * np.log(SIZES)], ids=["exponential", "hardly falling"]
)
def test_a_curve_of_another_shape_ends_at_a_limit(errors):
    assert fit_power_law(SIZES, errors, np.ones(len(SIZES))).at_limit


def test_a_law_inside_the_limits_is_not_at_one():
    assert not PowerLaw(0.1, 1, 0.5).at_limit
    assert PowerLaw(0.1, 1, LOWEST).at_limit
    assert PowerLaw(0.1, 1, HIGHEST).at_limit
