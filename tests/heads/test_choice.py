"""One standard error: which of several candidates is kept."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.heads.choice import WEIGHTED, choose
from headstart.heads.prior import Settled
from headstart.heads.score import Score, standard_error


def scored(rows, weights=None):
    rows = np.asarray(rows, dtype=np.float64)
    weights = np.full(len(rows), 1 / len(rows)) if weights is None else weights
    return Score(float(rows @ weights), rows, weights, Settled(1.0, np.zeros(2), 0.0))


def test_the_standard_error_is_that_of_a_paired_mean():
    rng = np.random.default_rng(0)
    a, b = rng.random(50), rng.random(50)
    assert standard_error(scored(a), scored(b)) == pytest.approx(np.std(a - b) / np.sqrt(50))


def test_rows_of_one_block_count_as_drawn_together():
    rng = np.random.default_rng(0)
    a, b = rng.random(20), rng.random(20)
    once, four = (
        standard_error(scored(a), scored(b)),
        standard_error(scored(np.repeat(a, 4)), scored(np.repeat(b, 4)), np.repeat(np.arange(20), 4)),
    )
    assert four == pytest.approx(once)
    assert standard_error(scored(np.repeat(a, 4)), scored(np.repeat(b, 4))) == pytest.approx(once / 2)


@pytest.mark.parametrize(
    ("better", "kept"), [("kernel", "kernel"), ("trees", "trees"), (WEIGHTED, WEIGHTED), ("ridge", "ridge")]
)
def test_a_candidate_that_is_surely_better_is_kept(better, kept):
    noise = np.random.default_rng(0).random(100)
    names = ("ridge", "logistic", WEIGHTED, "kernel", "trees")
    scores = {name: scored(noise + 0.3 * (name != better) + 0.01 * np.arange(100) / 100) for name in names}
    assert choose(scores).name == kept


def test_within_one_standard_error_the_simplest_is_kept():
    rng = np.random.default_rng(0)
    base = rng.random(100)
    scores = {name: scored(base + rng.normal(0, 1, 100) * 0.5) for name in ("kernel", "trees", WEIGHTED)}
    best = min(scores, key=lambda name: scores[name].loss)
    near = scores[best].rows + rng.normal(0, 1, 100)
    near += scores[best].loss + 0.05 - near.mean()
    choice = choose({"ridge": scored(near), **scores})
    assert choice.standard_errors["ridge"] > 0.05
    assert choice.name == "ridge"
    far = near + 0.05 + choice.standard_errors["ridge"]
    assert choose({"ridge": scored(far), **scores}).name != "ridge"


def test_heads_of_one_layer_are_told_apart_by_their_score_alone():
    rows = np.random.default_rng(0).random(100)
    scores = {"prototypes": scored(rows + 0.002), "ridge": scored(rows + 0.001), "logistic": scored(rows)}
    assert choose(scores).name == "logistic"
    assert choose({name: scored(rows) for name in scores}).name == "prototypes"
