"""How often a 95 % interval holds the truth, in simulation; and how often nothing is called something."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from headstart.evidence.assess import NO_TRANSFER, assess
from headstart.evidence.bootstrap import bootstrap
from headstart.evidence.held_out import HeldOut
from headstart.evidence.intervals import interval
from headstart.evidence.scores import score
from headstart.tasks import CLASSIFICATION, REGRESSION
from tests.evidence.conftest import normalised

Array = np.ndarray[Any, Any]
World = Callable[[int, np.random.Generator], tuple[HeldOut, Array, Array]]

pytestmark = pytest.mark.slow


def world_of_classes(classes: int, skill: float, other: float, prior: Array | None = None, in_group: int = 1) -> World:
    """Two models whose noise is correlated; rows of a group share their class and part of the noise."""

    def draw(rows: int, random: np.random.Generator) -> tuple[HeldOut, Array, Array]:
        groups = rows // in_group
        y = np.repeat(random.choice(classes, groups, p=prior), in_group)
        shared = np.repeat(random.normal(size=(groups, classes)), in_group, axis=0)
        own = random.normal(size=(2, len(y), classes))
        truth = np.eye(classes)[y]
        mine = 0.6 * shared + 0.8 * own[0] + skill * truth
        theirs = 0.6 * shared + 0.8 * own[1] + other * truth
        group = np.repeat(np.arange(groups), in_group) if in_group > 1 else None
        held = HeldOut(y, CLASSIFICATION, tuple(range(classes)), group)
        return held, normalised(np.exp(skill * mine)), normalised(np.exp(skill * theirs))

    return draw


def world_of_values(rows: int, random: np.random.Generator) -> tuple[HeldOut, Array, Array]:
    x, noise = random.normal(size=rows), random.normal(size=(3, rows))
    return HeldOut(x + 0.7 * noise[0], REGRESSION), x + 0.3 * noise[1], x + 0.3 * noise[2]


def covered(world: World, rows: int, metric: str, times: int = 400) -> float:
    random = np.random.default_rng(0)
    held, p, _ = world(100_000, random)
    truth, hits = score(held, p)[metric], 0
    for seed in range(times):
        held, p, _ = world(rows, random)
        found = interval(bootstrap(held, {"m": p}, resamples=1000, seed=seed)["m"].draws(metric))
        hits += found.low <= truth <= found.high
    return hits / times


@pytest.mark.parametrize(
    ("world", "rows", "metric"),
    [
        (world_of_values, 20, "r2"),
        (world_of_values, 100, "r2"),
        (world_of_classes(5, 1.5, 1.5), 50, "accuracy"),
        (world_of_classes(5, 1.5, 1.5), 50, "balanced_accuracy"),
        (world_of_classes(5, 1.5, 1.5), 50, "macro_f1"),
        (world_of_classes(2, 2.5, 2.5), 50, "accuracy"),
        (world_of_classes(2, 1.5, 1.5, prior=np.array([0.9, 0.1])), 100, "balanced_accuracy"),
        (world_of_classes(20, 2.0, 2.0), 100, "balanced_accuracy"),
        (world_of_classes(20, 2.0, 2.0), 100, "macro_f1"),
        (world_of_classes(4, 1.5, 1.5, in_group=5), 200, "accuracy"),
        (world_of_classes(5, 1.5, 1.5), 100, "log_loss"),
        (world_of_classes(2, 1.5, 1.5, prior=np.array([0.9, 0.1])), 100, "auroc"),
        (world_of_classes(2, 1.5, 1.5, prior=np.array([0.9, 0.1])), 150, "average_precision"),
        (world_of_classes(2, 2.5, 2.5), 50, "auroc"),
        (world_of_classes(5, 1.5, 1.5), 50, "auroc"),
        (world_of_classes(5, 1.5, 1.5), 100, "average_precision"),
        (world_of_classes(4, 1.5, 1.5, in_group=5), 200, "auroc"),
    ],
)
def test_the_truth_is_inside(world: World, rows: int, metric: str) -> None:
    """Of 400 intervals at a true 95 %, between 91 and 98 % hold the truth; wider is allowed, narrower is not."""
    assert covered(world, rows, metric) > 0.91


def test_without_groups_the_interval_of_grouped_rows_would_be_too_narrow() -> None:
    grouped = world_of_classes(4, 1.5, 1.5, in_group=5)

    def ungrouped(rows: int, random: np.random.Generator) -> tuple[HeldOut, Array, Array]:
        held, p, other = grouped(rows, random)
        return held._replace(group=None), p, other

    assert covered(ungrouped, 200, "accuracy") < 0.91


@pytest.mark.parametrize("rows", [4, 8, 16, 60])
@pytest.mark.parametrize("classes", [2, 5])
def test_equal_models_are_rarely_told_apart(rows: int, classes: int) -> None:
    world, random = world_of_classes(classes, 1.5, 1.5), np.random.default_rng(0)
    verdicts = []
    for seed in range(400):
        held, p, other = world(rows, random)
        verdicts.append(assess(held, p, {NO_TRANSFER: other}, seed=seed).verdict)
    assert verdicts.count("helps") + verdicts.count("hurts") <= 0.07 * len(verdicts)


def test_a_clear_gain_is_mostly_seen() -> None:
    world, random = world_of_classes(5, 2.5, 1.0), np.random.default_rng(0)
    verdicts = []
    for seed in range(200):
        held, p, other = world(100, random)
        verdicts.append(assess(held, p, {NO_TRANSFER: other}, seed=seed).verdict)
    assert verdicts.count("helps") > 0.95 * len(verdicts)


@pytest.mark.parametrize("rows", [60, 400])
def test_the_interval_of_a_calibration_error_reaches_down_to_the_truth(rows: int) -> None:
    """Of calibrated answers: their error is near 0, and on few rows its value is far above."""
    assert covered(calibrated, rows, "calibration_error") > 0.92


def calibrated(rows: int, random: np.random.Generator) -> tuple[HeldOut, Array, Array]:
    p = random.dirichlet([1.0, 1.0, 1.0], rows)
    y = (p.cumsum(axis=1) < random.random((rows, 1))).sum(axis=1)
    return HeldOut(y, CLASSIFICATION, (0, 1, 2)), p, p
