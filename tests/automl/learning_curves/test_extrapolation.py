"""What is foretold: how often the truth lies in the interval, in simulation, and when nothing is said."""

from __future__ import annotations

import numpy as np
import pytest
from simulated_curves import SIZES, study

from headstart.automl.learning_curves.extrapolation import extrapolate
from headstart.automl.learning_curves.measure import Design, Errors
from headstart.automl.learning_curves.power_law import PowerLaw
from headstart.automl.learning_curves.spread import Spread

STUDIES = 60


def shares_inside(law: PowerLaw, luck: float, **options) -> tuple[float, float, float]:
    """Of simulated studies: the share of those with a law, and of these the shares of errors and gains inside."""
    laws, errors, gains = 0, 0, 0
    for seed in range(STUDIES):
        simulated = study(law, seed, luck=luck)
        made = extrapolate(simulated.errors, simulated.design, model=0, seed=seed, **options)
        if made.law is None:
            continue
        error, gain = made.foretold(2 * SIZES[-1], seed)
        laws += 1
        errors += error.low <= simulated.truth <= error.high
        gains += gain.low <= simulated.gain <= gain.high
    return laws / STUDIES, errors / laws, gains / laws


@pytest.mark.parametrize(
    ("law", "luck"),
    [(PowerLaw(0.1, 1.2, 0.4), 0.2), (PowerLaw(0.0, 0.9, 0.25), 0.2), (PowerLaw(0.2, 2.0, 0.7), 0.6)],
    ids=["with a rest", "without", "much luck"],
)
def test_the_truth_lies_in_its_interval_about_as_often_as_said(law, luck):
    laws, errors, gains = shares_inside(law, luck)
    assert laws > 0.8
    assert errors > 0.9
    assert gains > 0.8


def test_without_the_luck_of_the_rows_that_are_learnt_from_intervals_are_too_narrow():
    law = PowerLaw(0.05, 1.5, 0.4)
    _, errors, gains = shares_inside(law, 0.6)
    _, fewer_errors, fewer_gains = shares_inside(law, 0.6, spread=Spread(0.0), starts=1)
    assert errors > 0.85
    assert gains > 0.85
    assert fewer_errors < errors
    assert fewer_gains < 0.7


def test_the_expected_error_is_that_of_the_law():
    law = PowerLaw(0.1, 1.0, 0.5)
    value = np.tile(law.at(np.array(SIZES)), (3, 1))
    errors = Errors(value, np.repeat(value[None], 50, axis=0))
    made = extrapolate(errors, Design(SIZES, 1, SIZES[-1], 500), model=0, seed=0)
    for factor in (2, 4):
        error, gain = made.foretold(factor * SIZES[-1], 0)
        assert error.value == pytest.approx(float(law.at(factor * SIZES[-1])), abs=1e-6)
        assert gain.value == pytest.approx(float(law.at(SIZES[-1]) - law.at(factor * SIZES[-1])), abs=1e-6)
        assert error.low <= error.value <= error.high < error.value + 0.02


def made_from(curve, sizes=SIZES, noise=0.004):
    random = np.random.default_rng(0)
    value = np.asarray(curve) + random.normal(size=(4, len(sizes))) * noise
    resampled = value[None] + random.normal(size=(200, 1, 1)) * 0.01 + random.normal(size=(200, 4, len(sizes))) * noise
    return extrapolate(Errors(value, resampled), Design(tuple(sizes), 1, sizes[-1], 400), model=0, seed=0)


@pytest.mark.parametrize(
    ("curve", "sizes", "why"),
    [
        ([0.5, 0.4, 0.3], (10, 20, 40), "3 sizes are too few for a power law, which takes 4"),
        ([0.5, 0.45, 0.4, 0.35], (10, 15, 20, 30), r"span a factor of 3.0, and a power law takes one of 4"),
        ([0.3] * 8, SIZES, "not shown to get better with more labels"),
        ([0.5, 0.4, 0.3, 0.2, 0.3, 0.4, 0.5, 0.6], SIZES, "gets worse again from 81 labels on"),
        (0.3 + np.exp(-np.array(SIZES) / 8), SIZES, "levelled off faster than any power law"),
    ],
)
def test_where_no_power_law_fits_it_is_said_why_and_nothing_is_foretold(curve, sizes, why):
    made = made_from(curve, sizes)
    assert made.law is None
    with pytest.raises(ValueError, match=why):
        made.foretold(1000, 0)


def test_a_law_that_begins_late_is_fitted_from_there_on():
    """Trees that take twenty rows before they learn at all, say."""
    law = PowerLaw(0.1, 1.0, 0.4)
    curve = np.where(np.arange(len(SIZES)) < 2, [2.5, 1.2] + [0] * 6, law.at(np.array(SIZES)))
    made = made_from(curve, noise=0.0005)
    assert made.begins == SIZES[2]
    assert float(made.law.at(1032)) == pytest.approx(float(law.at(1032)), abs=0.01)


def test_what_was_measured_lies_in_its_band():
    of = study(PowerLaw(0.1, 1.2, 0.4), 3)
    made = extrapolate(of.errors, of.design, model=0, seed=0)
    for value, interval in zip(of.errors.value.mean(axis=0), made.measured(), strict=True):
        assert interval.low <= interval.value <= interval.high
        assert interval.value == value


def test_the_same_seed_foretells_the_same():
    of = study(PowerLaw(0.1, 1.2, 0.4), 3)
    first, second, other = (
        extrapolate(of.errors, of.design, model=0, seed=seed).foretold(1032, 0) for seed in (1, 1, 2)
    )
    assert first == second
    assert first != other
