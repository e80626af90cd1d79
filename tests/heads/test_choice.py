"""Which of several candidates is kept: what is aimed at rules out, the log loss orders, the simplest of equals wins."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.heads.choice import WEIGHTED, choose, within
from headstart.heads.paired import standard_error
from headstart.heads.prior import Settled
from headstart.heads.score import Losses, Score

EVEN = np.full(100, 0.01)


def scored(rows, aimed=None, *, decided=False):
    """A candidate that loses so much by rows, and so much of the aim."""
    own = Losses(np.asarray(rows, dtype=np.float64), EVEN)
    aimed = None if aimed is None else Losses(np.asarray(aimed, dtype=np.float64), EVEN)
    return Score(own.mean, own, aimed, Settled(1.0, np.zeros(2), 0.0), decided=decided or aimed is not None)


def apart(rng, errors):
    """(100,) differences whose mean is so many of their standard errors above 0."""
    noise = rng.normal(0, 1, 100)
    noise -= noise.mean()
    return noise + errors * standard_error(noise, EVEN)


@pytest.mark.parametrize("aimed", [False, True])
@pytest.mark.parametrize("better", ["kernel", "trees", "logistic" + WEIGHTED, "kernel" + WEIGHTED, "lda", "ridge"])
def test_a_candidate_that_is_surely_better_is_kept(better, aimed):
    rng = np.random.default_rng(0)
    noise = rng.random(100)
    names = ("lda", "ridge", "logistic", "logistic" + WEIGHTED, "kernel", "kernel" + WEIGHTED, "trees")
    scores = {
        name: scored(
            noise + 0.3 * (name != better) + 0.01 * np.arange(100) / 100, noise > 0.5 if aimed else None, decided=aimed
        )
        for name in names
    }
    assert choose(scores).name == better


@pytest.mark.parametrize(
    ("names", "simplest"),
    [
        (("kernel", "ridge"), "ridge"),
        (("trees", "kernel"), "kernel"),
        (("incontext", "trees"), "trees"),
        (("logistic" + WEIGHTED, "ridge"), "ridge"),
        (("kernel", "ridge" + WEIGHTED), "ridge" + WEIGHTED),
        (("kernel" + WEIGHTED, "kernel"), "kernel"),
    ],
)
@pytest.mark.parametrize(("decided", "times"), [(False, 1.0), (True, 0.5)])
def test_of_those_within_so_many_standard_errors_the_simplest_is_kept(names, simplest, decided, times):
    rng = np.random.default_rng(1)
    best, base = next(name for name in names if name != simplest), rng.random(100)
    for errors, kept in ((times - 0.01, simplest), (times + 0.01, best)):
        scores = {best: scored(base, decided=decided), simplest: scored(base + apart(rng, errors), decided=decided)}
        choice = choose(scores)
        assert choice.name == kept
        assert choice.standard_errors[best] == 0.0
        assert choice.standard_errors[simplest] == pytest.approx(scores[simplest].loss / errors - base.mean() / errors)


def test_what_loses_too_much_of_the_aim_is_ruled_out_however_low_its_log_loss():
    rng = np.random.default_rng(2)
    base, right = rng.random(100), rng.random(100)
    for errors, kept in ((1.99, "ridge"), (2.01, "kernel")):
        scores = {"ridge": scored(base, right + apart(rng, errors)), "kernel": scored(base + 0.5, right)}
        assert choose(scores).name == kept


def test_the_aim_only_rules_out_and_the_log_loss_orders():
    rng = np.random.default_rng(3)
    base, right = rng.random(100), rng.random(100)
    scores = {
        "ridge": scored(base + apart(rng, 0.7), right + apart(rng, -1.5)),
        "kernel": scored(base, right),
    }
    assert choose(scores).name == "kernel"


def test_blocks_are_drawn_together():
    """Ten rows of each block alike: the standard error is that of ten units, and what was apart no longer is."""
    rng = np.random.default_rng(4)
    blocks = np.repeat(np.arange(10), 10)
    difference = rng.normal(0, 1, 10)
    difference += 0.1 - difference.mean()
    base = rng.random(100)
    scores = {"kernel": scored(base), "ridge": scored(base + difference[blocks])}
    rows, units = choose(scores), choose(scores, blocks)
    expected = difference.std() / np.sqrt(10)
    assert units.standard_errors["ridge"] == pytest.approx(expected)
    assert rows.standard_errors["ridge"] == pytest.approx(expected / np.sqrt(10))
    assert rows.name == ("ridge" if rows.standard_errors["ridge"] >= 0.1 else "kernel")
    assert units.name == "ridge"


def test_heads_of_one_layer_are_told_apart_by_their_score_alone():
    rows = np.random.default_rng(0).random(100)
    scores = {"prototypes": scored(rows + 0.002), "ridge": scored(rows + 0.001), "logistic": scored(rows)}
    assert choose(scores).name == "logistic"
    assert choose({name: scored(rows) for name in scores}).name == "prototypes"


def test_the_best_is_always_within():
    rng = np.random.default_rng(5)
    losses = {str(k): Losses(rng.random(100), EVEN) for k in range(5)}
    best = min(losses, key=lambda name: losses[name].mean)
    assert within(losses, 0.0) == [best]
    assert set(within(losses, 1e9)) == set(losses)
