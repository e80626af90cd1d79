"""Intervals from draws: what resamples show, what they cannot show, and what stays unknown."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from headstart.evidence.intervals import Draws, Interval, Shares, interval

Array = np.ndarray[Any, Any]
UNIT = (0.0, 1.0)


def right(*classes: list[int]) -> Shares:
    """Shares of classes whose units are given one by one: 1 right, 0 wrong."""
    units = sum(map(len, classes))
    part, whole = np.zeros((len(classes), units)), np.zeros((len(classes), units))
    place = 0
    for number, answers in enumerate(classes):
        part[number, place : place + len(answers)] = answers
        whole[number, place : place + len(answers)] = 1
        place += len(answers)
    return Shares(part, whole)


def test_of_many_units_it_is_the_percentile_interval() -> None:
    draws = np.random.default_rng(0).normal(0.7, 0.02, 50_000)
    found = interval(Draws(0.7, draws, 10_000, UNIT))
    assert found == pytest.approx((0.7, 0.7 - 1.96 * 0.02, 0.7 + 1.96 * 0.02), abs=1e-3)


def test_draws_off_the_value_are_moved_back_onto_it() -> None:
    draws = np.random.default_rng(0).normal(0.5, 0.02, 50_000)
    assert interval(Draws(0.7, draws, 10_000, UNIT)) == pytest.approx((0.7, 0.661, 0.739), abs=2e-3)


def test_of_few_units_it_is_wider_as_students_t_is() -> None:
    draws = np.random.default_rng(0).normal(0.0, 1.0, 200_000)
    found = interval(Draws(0.0, draws, 8, (-math.inf, math.inf)))
    assert found.high == pytest.approx(math.sqrt(8 / 7) * stats.t.ppf(0.975, 7), abs=0.03)
    assert found.low == pytest.approx(-found.high, abs=0.06)


def test_all_right_is_bounded_as_by_clopper_and_pearson() -> None:
    for units in (1, 3, 30, 1000):
        found = interval(Draws(1.0, np.ones(100), units, UNIT, right([1] * units)))
        assert found == pytest.approx((1.0, stats.binomtest(units, units).proportion_ci().low, 1.0))
        wrong = interval(Draws(0.0, np.zeros(100), units, UNIT, right([0] * units)))
        assert wrong == pytest.approx((0.0, 0.0, stats.binomtest(0, units).proportion_ci().high))


def test_a_small_class_that_is_all_right_widens_the_mean_over_classes() -> None:
    draws = np.random.default_rng(0).normal(0.9, 0.01, 5000)
    mixed, none = right([1] * 80 + [0] * 20, [1] * 4), Shares(np.zeros((1, 104)), np.ones((1, 104)) * 2)
    narrow = interval(Draws(0.9, draws, 104, UNIT, none._replace(part=np.eye(1, 104))))
    wide = interval(Draws(0.9, draws, 104, UNIT, mixed))
    assert wide.high == narrow.high
    assert wide.low == pytest.approx(0.9 - math.hypot(0.9 - narrow.low, (1 - 0.025 ** (1 / 4)) / 2))


def test_a_model_against_itself_differs_by_exactly_nothing() -> None:
    draws = Draws(0.7, np.random.default_rng(0).random(100), 20, UNIT, right([1] * 14 + [0] * 6))
    assert interval(draws.minus(draws)) == Interval(0.0, 0.0, 0.0)
    alone = Draws(1.0, np.ones(100), 1, UNIT, right([1]))
    assert interval(alone.minus(alone)) == Interval(0.0, 0.0, 0.0)


@pytest.mark.parametrize(("units", "decided"), [(1, False), (2, False), (3, False), (6, True), (20, True)])
def test_all_right_against_all_wrong_decides_from_six_units_on(units: int, decided: bool) -> None:
    """As the sign test does: 6 of 6 for one side happen by chance in 2 / 64 of cases, 5 of 5 in 2 / 32."""
    good = Draws(1.0, np.ones(100), units, UNIT, right([1] * units))
    poor = Draws(0.0, np.zeros(100), units, UNIT, right([0] * units))
    gain = interval(good.minus(poor))
    assert gain.value == gain.high == 1.0
    assert (gain.low > 0) == decided
    loss = interval(poor.minus(good))
    assert loss == pytest.approx((-1.0, -1.0, -gain.low))


def test_one_unit_that_speaks_for_a_model_and_none_against_decides_nothing() -> None:
    random = np.random.default_rng(0)
    chosen = random.integers(0, 10, (2000, 10))
    better, worse = np.array([1] * 8 + [0] * 2), np.array([1] * 7 + [0] * 3)
    drawn = [Draws(one.mean(), one[chosen].mean(axis=1), 10, UNIT, right(one.tolist())) for one in (better, worse)]
    gain = interval(drawn[0].minus(drawn[1]))
    assert gain.low < 0 < gain.value < gain.high


def test_the_interval_stays_within_what_the_score_can_be() -> None:
    draws = np.random.default_rng(0).normal(0.97, 0.05, 1000)
    assert interval(Draws(0.97, draws, 50, UNIT)).high == 1.0
    assert interval(Draws(0.02, draws - 0.95, 50, UNIT)).low == 0.0


@pytest.mark.parametrize(
    "draws",
    [
        Draws(0.7, np.full(100, 0.7), 1, UNIT, right([1])),
        Draws(0.7, np.full(100, 0.7), 1, (0.0, math.inf)),
        Draws(0.7, np.full(100, 0.7), 30, (0.0, math.inf)),
        Draws(0.7, np.r_[np.full(60, np.nan), np.full(40, 0.7)], 2, (-math.inf, 1.0)),
    ],
    ids=["one group half right", "one row", "no variation and no bound", "mostly undefined"],
)
def test_where_nothing_is_known_the_ends_are_unknown(draws: Draws) -> None:
    found = interval(draws)
    assert found.value == 0.7
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_an_unknown_value_has_no_interval() -> None:
    assert all(map(math.isnan, interval(Draws(math.nan, np.full(10, np.nan), 5, (-math.inf, 1.0)))))


def test_undefined_draws_are_left_out() -> None:
    draws = np.random.default_rng(0).normal(0.5, 0.1, 2000)
    with_gaps = np.r_[draws, np.full(100, np.nan)]
    assert interval(Draws(0.5, with_gaps, 50, UNIT)) == interval(Draws(0.5, draws, 50, UNIT))


def test_that_of_a_claim_of_many_reaches_as_far_as_its_level_says() -> None:
    draws = np.random.default_rng(0).normal(0.0, 1.0, 400_000)
    found = interval(Draws(0.0, draws, 100_000, (-math.inf, math.inf)), 0.05 / 8)
    assert found.high == pytest.approx(stats.norm.ppf(1 - 0.05 / 16), abs=0.03)
    alone = interval(Draws(1.0, np.ones(100), 30, UNIT, right([1] * 30)), 0.01)
    assert alone.low == pytest.approx(stats.binomtest(30, 30).proportion_ci(0.99).low)


def test_of_cross_validation_it_is_wider_and_more_so_where_repeats_differ() -> None:
    """Models of five folds share rows to learn from, and a repeat is a mean over them."""
    resampled = np.random.default_rng(0).normal(0.7, 0.02, 50_000)
    split = Draws(0.7, resampled, 10_000, UNIT)
    repeats = (0.68, 0.70, 0.72)
    alike, other = (interval(split._replace(repeats=values, folds=5)) for values in ((0.7, 0.7, 0.7), repeats))
    assert alike.high - 0.7 == pytest.approx(math.sqrt(5 / 4) * (interval(split).high - 0.7))
    assert other.high - 0.7 == pytest.approx(1.96 * math.hypot(math.sqrt(5 / 4) * 0.02, math.sqrt(2) * 0.02), abs=2e-3)
    assert 0.7 - other.low == pytest.approx(other.high - 0.7, abs=2e-3)
    assert interval(split._replace(repeats=repeats)) == interval(split)
    assert interval(split._replace(repeats=repeats[:1], folds=5)) == pytest.approx(alike)


def test_of_a_difference_only_what_the_repeats_of_it_do_counts() -> None:
    resampled = np.random.default_rng(0).normal(0.7, 0.02, 5_000)
    model = Draws(0.7, resampled, 10_000, UNIT, repeats=(0.68, 0.70, 0.72), folds=5)
    moved = resampled - 0.1 + 0.01 * np.sin(np.arange(5_000))
    other = model._replace(value=0.6, resampled=moved, repeats=(0.58, 0.6, 0.62))
    steady = interval(model.minus(other))
    assert steady == pytest.approx(interval(model._replace(repeats=()).minus(other._replace(repeats=()))), abs=1e-6)
    assert interval(model.minus(other._replace(repeats=(0.62, 0.6, 0.58)))).high > steady.high + 0.1
