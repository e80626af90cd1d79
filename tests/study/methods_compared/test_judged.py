"""What follows from answers: who is best, whether transfer helps, and how far down weights should move."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.evidence.assess import assess
from headstart.evidence.held_out import HeldOut
from headstart.study.measured import FitCost
from headstart.study.methods_compared.judged import Judge, judged
from headstart.study.methods_compared.trying import Finished
from headstart.study.methods_compared.ways import Way
from headstart.tasks import CLASSIFICATION

ROWS = 400
TRUTH = np.arange(ROWS) % 2
HELD_OUT = HeldOut(TRUTH, CLASSIFICATION, ("a", "b"))
LADDER = {"top": 10, "gradual": 20, "fine-tune": 30, "lp-ft": 30}


def right(share, seed):
    """(1, N, 2) probabilities that are right for so large a share of the rows."""
    return answers_of(np.random.default_rng(seed).permutation(ROWS) < share * ROWS)


def answers_of(is_right):
    """The same by row."""
    answer = np.where(is_right, TRUTH, 1 - TRUTH)
    return np.where(np.arange(2) == answer[:, None], 0.9, 0.1)[None]


def way(name, moves, source=False):
    return Way(name, name, moves, name not in ("no-transfer", "scratch"), source, None, None)


def finished(shares):
    """Ways with a share of right answers each, in this order."""
    return [
        Finished(
            way(name, name in LADDER or name == "scratch", name in ("pooled", "source-only", "auto")),
            right(share, seed), FitCost(1.0, 1.0, LADDER.get(name, 1)), False,
        )
        for seed, (name, share) in enumerate(shares.items())
    ]  # fmt: skip


def said_of(shares):
    ways = finished(shares)
    return judged(Judge(HELD_OUT, ways, seed=0), ways)


def test_gains_are_those_of_an_assessment_alone():
    ways = finished({"no-transfer": 0.6, "probe": 0.8, "top": 0.85})
    judge = Judge(HELD_OUT, ways, seed=3)
    theirs = assess(HELD_OUT, ways[2].answers, {each.way.name: each.answers for each in ways[:2]}, seed=3)
    assert judge.scores("top") == theirs.metrics
    assert judge.gain("top", "probe") == theirs.gains["probe"].interval
    assert judge.gain("top", "no-transfer") == theirs.gains["no-transfer"].interval
    assert judge.gain("top", "l2-sp") is None


@pytest.mark.parametrize(
    ("shares", "best", "transfer", "depth", "advised"),
    [
        ({"no-transfer": 0.6, "probe": 0.8, "top": 0.8, "fine-tune": 0.8}, "probe", "helps", "probe", "probe"),
        ({"no-transfer": 0.6, "probe": 0.7, "top": 0.9, "fine-tune": 0.9}, "top", "helps", "top", "top"),
        ({"no-transfer": 0.6, "probe": 0.7, "top": 0.8, "lp-ft": 0.95}, "lp-ft", "helps", "lp-ft", "lp-ft"),
        ({"no-transfer": 0.6, "probe": 0.9, "top": 0.7}, "probe", "helps", "probe", "probe"),
        ({"no-transfer": 0.9, "probe": 0.6, "top": 0.7}, "no-transfer", "hurts", "top", "no-transfer"),
        ({"no-transfer": 0.8, "probe": 0.8}, "no-transfer", "cannot tell", "probe", "probe"),
        ({"no-transfer": 0.6, "scratch": 0.99, "probe": 0.7}, "scratch", "helps", "probe", "scratch"),
    ],
)
def test_the_best_the_verdict_and_the_depth(shares, best, transfer, depth, advised):
    result = said_of(shares)
    assert (result.best, result.depth, result.advised) == (best, depth, advised)
    assert result.transfer.verdict == transfer
    assert result.transfer.comparisons == len([name for name in shares if name not in ("no-transfer", "scratch")])


def test_the_runner_up_is_the_next_and_may_be_told_apart_or_not():
    apart = said_of({"no-transfer": 0.5, "probe": 0.95, "top": 0.7}).runner_up
    assert (apart.name, apart.over, apart.verdict) == ("probe", "top", "helps")
    near = said_of({"no-transfer": 0.5, "probe": 0.81, "top": 0.8}).runner_up
    assert (near.name, near.over, near.verdict) == ("probe", "top", "cannot tell")
    assert said_of({"probe": 0.8}).runner_up is None


def test_the_adapted_is_judged_over_the_best_that_is_not():
    claim = said_of({"no-transfer": 0.5, "probe": 0.6, "source-only": 0.6, "pooled": 0.7, "auto": 0.9}).adapted
    assert (claim.name, claim.over, claim.comparisons, claim.verdict) == ("auto", "pooled", 2, "helps")
    assert said_of({"no-transfer": 0.5, "probe": 0.6}).adapted is None


def test_without_no_transfer_nothing_is_said_of_transfer():
    result = said_of({"probe": 0.8, "top": 0.9})
    assert result.transfer is None
    assert result.moving.over == "probe"


def alike(seed):
    """The probe and eight that move weights, each of which is right in four of five rows by chance."""
    rng = np.random.default_rng(seed)
    return [
        Finished(way(name, name != "probe"), answers_of(rng.random(ROWS) < 0.8), FitCost(1.0, 1.0, place), False)
        for place, name in enumerate(["probe", *(f"way {number}" for number in range(8))])
    ]


def test_of_many_that_are_alike_none_is_called_better_than_the_probe():
    """By intervals of 95 % each, the best of eight that are alike would be more often than it may."""
    called = {1: 0, 8: 0}
    for seed in range(60):
        ways = alike(seed)
        judge = Judge(HELD_OUT, ways, seed=seed)
        (best, *_) = judge.by_score([each.way.name for each in ways])
        for comparisons in called:
            gain = judge.gain(best, "probe", comparisons)
            called[comparisons] += gain is not None and gain.low > 0
        assert (judged(judge, ways).depth == "probe") == (
            judge.gain(best, "probe", 8) is None or judge.gain(best, "probe", 8).low <= 0
        )
    assert called[8] <= 7 < called[1]
