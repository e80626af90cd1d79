"""Where two curves meet, against what their equations say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import brentq
from simulated_curves import SIZES

from headstart.automl.learning_curves.extrapolation import extrapolate
from headstart.automl.learning_curves.intersection import Meeting, meeting_of
from headstart.automl.learning_curves.measure import Design, Errors
from headstart.automl.learning_curves.power_law import PowerLaw

DESIGN = Design(SIZES, 1, SIZES[-1], 500)


def made(curve, model=0, noise=0.003):
    random = np.random.default_rng(model)
    value = np.asarray(curve) + random.normal(size=(4, len(SIZES))) * noise / 3
    resampled = value[None] + random.normal(size=(300, 4, len(SIZES))) * noise
    return extrapolate(Errors(value, resampled), DESIGN, model=model, seed=0)


def by_law(law, model=0, noise=0.003):
    return made(law.at(np.array(SIZES)), model, noise)


@pytest.mark.parametrize("slope", [0.5, 0.46], ids=["within what was measured", "beyond"])
def test_two_laws_meet_where_their_equations_say(slope):
    transfer, other = PowerLaw(0.1, 0.8, 0.3), PowerLaw(0.1, 2.6, slope)
    root = brentq(lambda n: float(transfer.at(n) - other.at(n)), 10, 1e5)
    meeting = meeting_of(by_law(transfer, 0, 1e-4), by_law(other, 1, 1e-4))
    assert meeting.by_laws
    assert meeting.rows == pytest.approx(root, rel=0.05)
    assert meeting.low <= root <= meeting.high
    assert "no-transfer catches up at about" in str(meeting)


def test_noise_widens_where_they_meet():
    transfer, other = PowerLaw(0.1, 0.8, 0.3), PowerLaw(0.1, 2.6, 0.5)
    quiet, noisy = (meeting_of(by_law(transfer, 0, n), by_law(other, 1, n)) for n in (1e-4, 6e-3))
    assert noisy.low < quiet.low
    assert noisy.high > quiet.high


def test_curves_that_do_not_meet():
    meeting = meeting_of(by_law(PowerLaw(0.1, 0.5, 0.5)), by_law(PowerLaw(0.3, 1.0, 0.5), 1))
    assert (meeting.rows, meeting.low) == (math.inf, math.inf)
    assert str(meeting) == f"no-transfer does not catch up within {4 * SIZES[-1]:,} labels"


def test_no_transfer_that_is_better_from_the_start():
    meeting = meeting_of(by_law(PowerLaw(0.3, 1.0, 0.5)), by_law(PowerLaw(0.1, 0.5, 0.5), 1))
    assert (meeting.rows, meeting.high) == (0, 0)
    assert str(meeting) == "no-transfer is at least as good from 20 labels on"


def test_without_a_law_what_was_measured_is_followed_no_farther():
    flat = made([0.3] * 8)
    assert flat.law is None
    falling = np.array([0.6, 0.5, 0.45, 0.4, 0.35, 0.25, 0.2, 0.15])
    meeting = meeting_of(flat, made(falling, 1))
    assert not meeting.by_laws
    between = math.exp(math.log(129) + 0.5 * math.log(205 / 129))  # halfway from .35 to .25
    assert meeting.rows == pytest.approx(between, rel=0.05)
    assert meeting.reach == SIZES[-1]
    apart = meeting_of(flat, made([0.6] * 8, 1))
    assert str(apart) == "no-transfer does not catch up among the sizes measured, up to 516 labels"


@pytest.mark.parametrize(
    ("meeting", "words"),
    [
        (Meeting(1234, 560, math.inf, 20, 4000, True), "at about 1,200 labels [560, beyond 4,000]"),
        (Meeting(99.6, 0, 130, 20, 4000, True), "at about 100 labels [below 20, 130]"),
        (Meeting(math.inf, 1730, math.inf, 20, 4000, True), "within 4,000 labels [it may from 1,700 on]"),
        (Meeting(0, 0, 87, 20, 4000, True), "from 20 labels on [up to 87]"),
    ],
)
def test_in_words(meeting, words):
    assert str(meeting).endswith(words)
