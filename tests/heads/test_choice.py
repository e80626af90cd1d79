"""One standard error: which of several candidates is kept."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.heads.choice import WEIGHTED, choose
from headstart.heads.prior import Settled
from headstart.heads.score import Score


def scored(rows, weights=None):
    rows = np.asarray(rows, dtype=np.float64)
    weights = np.full(len(rows), 1 / len(rows)) if weights is None else weights
    return Score(float(rows @ weights), rows, weights, Settled(1.0, np.zeros(2), 0.0))


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
