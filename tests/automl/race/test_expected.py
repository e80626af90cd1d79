"""Expected gains beside integrals by simulation, and costs from what was measured."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.automl.race.expected import Costs, gain_of_new, improvement, value_of_knowing
from headstart.automl.race.space import Arm, Range

TUNED = Arm("net", "lp-ft", 2, {"epochs": Range(3, 12, whole=True)}, ({"epochs": 6},), gain=0.1, spread=0.15)
PROBE = Arm("net", "probe")


@pytest.mark.parametrize(("mean", "spread"), [(0.1, 0.2), (-0.3, 0.2), (0.0, 1.0), (2.0, 0.1)])
def test_improvement_is_the_mean_of_what_is_above_nothing(mean, spread):
    sampled = np.random.default_rng(0).normal(mean, spread, 400_000)
    assert improvement(mean, spread) == pytest.approx(np.maximum(sampled, 0).mean(), abs=3e-3)


def test_improvement_without_doubt():
    assert (improvement(0.2, 0.0), improvement(-0.2, 0.0)) == (0.2, 0.0)


def test_what_was_tried_takes_the_place_of_what_was_expected():
    assert gain_of_new(TUNED, 0.0, []) == (pytest.approx(0.1), pytest.approx(0.15))
    mean, spread = gain_of_new(TUNED, 0.0, [-0.2] * 9)
    assert mean == pytest.approx((0.25 * 0.1 - 1.8) / 9.25)
    assert spread < 0.06


def test_the_probe_on_the_same_backbone_is_where_an_arm_begins():
    behind, level = (gain_of_new(TUNED, probe, [])[0] for probe in (-0.5, 0.0))
    assert behind < level - 0.3


def test_other_arms_on_the_backbone_count_too():
    mean, spread = gain_of_new(TUNED, 0.0, [], [-0.1, -0.3])
    assert mean == pytest.approx((0.1 - 0.1 - 0.3) / 3)
    assert gain_of_new(TUNED, 0.0, [], [-0.1] * 8)[1] < spread


def test_to_know_better_is_worth_most_where_it_is_least_clear():
    worth = [value_of_knowing(gain, 0.1, leads=leads) for gain, leads in ((0.5, True), (0.05, True), (-0.5, False))]
    assert worth[1] > 100 * max(worth[0], worth[2])


def test_costs_follow_what_was_measured():
    costs = Costs({"net": 0.01}, {"net": 10**6})
    first = costs.seconds(TUNED, {"epochs": 6}, 100)
    assert first == pytest.approx(0.3 + 6 * 100 * (4 * 0.01 + 1.5e-8 * 10**6 / 16))
    costs.add(TUNED, {"epochs": 6}, 100, 3 * first)
    assert costs.seconds(TUNED, {"epochs": 6}, 100) == pytest.approx(3 * first)
    assert costs.seconds(TUNED, {"epochs": 12}, 100) == pytest.approx(6 * first, rel=0.05)
    assert costs.seconds(TUNED._replace(method="l2-sp"), {"epochs": 6}, 100) == pytest.approx(3 * first)


def test_where_few_stages_learn_steps_are_of_these():
    costs = Costs({"net": 0.01}, {"net": 10**6}, {"net": 7})
    a_row = 4 * 0.01 + 1.5e-8 * 10**6 / 16
    top = costs.seconds(TUNED._replace(method="top"), {"epochs": 6, "stages": 2}, 100)
    assert top == pytest.approx(0.3 + 100 * (6 * a_row * 2 / 7 + 0.01))
    varied = costs.seconds(TUNED._replace(method="top"), {"epochs": 6, "stages": 2, "augment": True}, 100)
    assert varied == pytest.approx(top + 100 * 3 * 0.01)


def test_a_probe_says_nothing_of_what_moves_weights():
    costs = Costs({"net": 0.01}, {})
    before = costs.seconds(TUNED, {"epochs": 6}, 100)
    costs.add(PROBE, {}, 100, 1e3)
    assert costs.seconds(TUNED, {"epochs": 6}, 100) == before
    assert costs.seconds(PROBE, {}, 100) == pytest.approx(1e3)
