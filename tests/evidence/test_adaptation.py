"""The verdict on adaptation: over whom it is, by which rows, and in which words."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.evidence.adaptation import adaptation_of
from headstart.evidence.assess import assess
from tests.evidence.conftest import values_held

HELD = values_held(60)
GOOD, FAIR, BAD = (HELD.targets + np.random.default_rng(3).normal(size=60) * noise for noise in (0.05, 0.5, 2.0))
GAINS = assess(HELD, GOOD, {"source-only": BAD, "pooled": FAIR}).gains


def test_the_way_that_every_trial_named_is_the_one() -> None:
    found = adaptation_of(HELD, GOOD, BAD, ["source-only"] * 5, GAINS)
    assert found.gain == GAINS["source-only"]
    assert found.verdict == "helps"
    assert found.why.startswith("the best of source-only, pooled, on labelled target rows held out in turn")


def test_where_trials_differ_each_is_named_with_its_count() -> None:
    mixed = np.where(np.arange(60) < 24, BAD, FAIR)
    found = adaptation_of(HELD, GOOD, mixed, ["pooled", "source-only", "pooled", "pooled", "source-only"], GAINS)
    assert found.gain is not None
    assert found.gain.over == "pooled in 3 and source-only in 2 of 5 trials"
    assert found.gain.value == pytest.approx(assess(HELD, GOOD, {"mixed": mixed}).gains["mixed"].value)


def test_where_rows_could_not_say_it_is_the_best_that_was_tested() -> None:
    found = adaptation_of(
        HELD, BAD, BAD, [None, "pooled"], assess(HELD, BAD, {"pooled": FAIR, "source-only": BAD}).gains
    )
    assert found.gain is not None
    assert found.gain.over == "pooled"
    assert found.verdict == "hurts"
    assert "on the tested rows themselves" in found.why


def test_a_single_way_needs_no_choice() -> None:
    found = adaptation_of(HELD, GOOD, BAD, ["source-only (kernel)"], {"source-only": GAINS["source-only"]})
    assert found.gain is not None
    assert found.gain.over == "source-only (kernel)"
    assert found.why == "no other way neither adapts nor learns from answers of the target"
