"""The spread between training sets: what was put into simulated studies is found again, whatever the test adds."""

from __future__ import annotations

import numpy as np
import pytest
from simulated_curves import study

from headstart.automl.learning_curves.measure import Design, Errors
from headstart.automl.learning_curves.power_law import PowerLaw
from headstart.automl.learning_curves.spread import spread_of

LAW = PowerLaw(0.2, 1.0, 0.5)


@pytest.mark.parametrize("luck", [0.4, 0.8])
def test_the_luck_of_a_row_is_found_on_average(luck):
    found = [spread_of(of.errors, of.design).w for of in (study(LAW, seed, luck=luck) for seed in range(60))]
    assert np.mean(found) == pytest.approx(luck**2, rel=0.35)


def test_without_luck_what_the_test_adds_is_not_taken_for_it():
    noisy = [study(LAW, seed, luck=0.0, tested=80) for seed in range(40)]
    n = 200
    plain = np.mean([of.errors.value[:, 5].var(ddof=1) for of in noisy])
    assert np.median([float(spread_of(of.errors, of.design).variance(n)) for of in noisy]) < 0.4 * plain


def test_of_draws_that_agree_half_a_test_row_is_left():
    errors = Errors(np.full((3, 5), 0.25), np.full((50, 3, 5), 0.25))
    spread = spread_of(errors, Design((10, 20, 40, 80, 160), 1, 160, 50))
    assert float(spread.variance(40)) == pytest.approx((0.5 / 50) ** 2, rel=1)


def test_a_mean_over_folds_stands_for_folds_models():
    of = study(LAW, 0, luck=0.8)
    one, five = (spread_of(of.errors, of.design._replace(folds=folds)).w for folds in (1, 5))
    assert five == pytest.approx(5 * one)
