"""The verdict, and figures in words."""

from __future__ import annotations

import math

import pytest

from headstart.evidence.intervals import Interval
from headstart.evidence.verdict import figure, signed, spread, verdict


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.01, 0.2, "helps"),
        (-0.2, -0.01, "hurts"),
        (-0.1, 0.1, "cannot tell"),
        (0.0, 0.1, "cannot tell"),
        (-0.1, 0.0, "cannot tell"),
        (0.0, 0.0, "cannot tell"),
        (math.nan, math.nan, "cannot tell"),
    ],
)
def test_helps_only_where_the_whole_interval_says_so(low: float, high: float, expected: str) -> None:
    assert verdict(Interval((low + high) / 2, low, high)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.756, ".76"), (1.0, "1.00"), (0.0, ".00"), (-0.034, "-.03"), (-2.04, "-2.04"), (9.99, "9.99"),
        (9.996, "10.0"), (12.34, "12.3"), (999.96, "1,000"), (4821.4, "4,821"), (1.25e7, "1.2e7"), (0.0031, ".003"),
        (-0.0031, "-.003"), (2e-5, "2e-5"), (math.nan, "?"),
    ],
)  # fmt: skip
def test_figures_are_short(value: float, expected: str) -> None:
    assert figure(value) == expected


def test_signs_and_spreads() -> None:
    assert [signed(value) for value in (0.25, -0.25, 0.0, math.nan)] == ["+.25", "-.25", "+.00", "?"]
    assert spread(Interval(0.7, 0.6, 0.8)) == "[.60, .80]"
    assert spread(Interval(0.7)) == "[?]"
