"""The bootstrap: the same draws for every model, groups kept whole, repeats averaged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from headstart.evidence.bootstrap import bootstrap
from headstart.evidence.held_out import HeldOut
from headstart.evidence.intervals import interval
from headstart.evidence.scores import score
from headstart.tasks import CLASSIFICATION, MULTILABEL
from tests.evidence.conftest import a_held, guesses, labels_held, values_held

Array = np.ndarray[Any, Any]


def answers(held: HeldOut, seed: int = 0) -> Array:
    random = np.random.default_rng(seed)
    if held.kind == CLASSIFICATION:
        return guesses(held.targets, len(held.classes), 1.0, seed)
    noise = random.random(held.targets.shape)
    return noise if held.kind == MULTILABEL else held.targets + noise


@pytest.mark.parametrize("held", [a_held(30, 4), labels_held(30, 3), values_held(30)], ids=lambda held: held.kind)
def test_values_are_the_scores_and_intervals_hold_them(held: HeldOut) -> None:
    p = answers(held)
    found = bootstrap(held, {"model": p}, resamples=200)["model"]
    assert found.value == pytest.approx(score(held, p))
    for metric in held.kind.metrics:
        assert found.resampled[metric].shape == (200,)
        value, low, high = interval(found.draws(metric))
        assert low <= value <= high


def test_each_draw_is_the_score_of_the_rows_drawn() -> None:
    """With one seed the draws can be drawn again by hand, and scored row by row by scikit-learn."""
    held = a_held(25, 3)
    p = answers(held)
    found = bootstrap(held, {"model": p}, resamples=40, seed=7)["model"].resampled
    drawn = np.random.default_rng(7).integers(25, size=(25, 40))
    y, answer = held.targets, p.argmax(axis=1)
    for column in range(40):
        rows = drawn[:, column]
        assert found["accuracy"][column] == pytest.approx((y[rows] == answer[rows]).mean())
        assert found["macro_f1"][column] == pytest.approx(f1_score(y[rows], answer[rows], average="macro"))


def test_blocks_of_resamples_are_all_different_and_the_seed_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    held, p = a_held(50, 2), answers(a_held(50, 2))
    monkeypatch.setattr("headstart.evidence.bootstrap._WEIGHTS_AT_ONCE", 50 * 30)
    found = bootstrap(held, {"model": p}, resamples=100, seed=1)["model"].resampled["log_loss"]
    assert len(np.unique(found)) == 100
    again, other = (bootstrap(held, {"m": p}, resamples=100, seed=s)["m"].resampled["log_loss"] for s in (1, 2))
    assert (found == again).all()
    assert (found != other).any()


def test_every_model_is_scored_on_the_same_draws() -> None:
    held, p = a_held(40, 3), answers(a_held(40, 3))
    found = bootstrap(held, {"one": p, "two": p, "other": answers(held, 5)}, resamples=100)
    for metric in CLASSIFICATION.metrics:
        assert (found["one"].resampled[metric] == found["two"].resampled[metric]).all()
    alone = bootstrap(held, {"other": answers(held, 5)}, resamples=100)["other"]
    assert (alone.resampled["log_loss"] == found["other"].resampled["log_loss"]).all()


@settings(max_examples=15, deadline=None)
@given(groups=st.integers(1, 8), seed=st.integers(0, 99))
def test_copies_of_rows_in_one_group_teach_nothing(groups: int, seed: int) -> None:
    """Each row five times over, each time in the group of the first, has the interval of the rows once."""
    held = a_held(groups, 2, seed)
    p = answers(held, seed)
    copied = HeldOut(np.repeat(held.targets, 5), held.kind, held.classes, np.repeat(np.arange(groups), 5).astype(str))
    once = bootstrap(held, {"m": p}, resamples=100)["m"]
    five = bootstrap(copied, {"m": np.repeat(p, 5, axis=0)}, resamples=100)["m"]
    for metric in CLASSIFICATION.metrics:
        assert interval(five.draws(metric)) == pytest.approx(interval(once.draws(metric)), nan_ok=True), metric


def test_rows_without_a_group_label_are_one_group() -> None:
    held = HeldOut(np.array([0, 1, 0]), CLASSIFICATION, ("a", "b"), np.array([None, "x", None], dtype=object))
    assert bootstrap(held, {"m": np.full((3, 2), 0.5)}, resamples=10)["m"].units == 2


def test_repeats_share_the_rows_drawn() -> None:
    held = a_held(30, 3)
    p = guesses(held.targets, 3, 1.0, repeats=(3,))
    together = bootstrap(held, {"m": p}, resamples=50)["m"].resampled["accuracy"]
    each = [bootstrap(held, {"m": one}, resamples=50)["m"].resampled["accuracy"] for one in p]
    assert together == pytest.approx(np.mean(each, axis=0))


def test_one_class_only() -> None:
    held = HeldOut(np.zeros(20, np.int64), CLASSIFICATION, ("a", "b"))
    found = bootstrap(held, {"m": np.tile([0.9, 0.1], (20, 1))}, resamples=50)["m"]
    assert interval(found.draws("balanced_accuracy")) == pytest.approx((1.0, 0.025 ** (1 / 20), 1.0))
    assert interval(found.draws("log_loss"))[1:] == pytest.approx((np.nan, np.nan), nan_ok=True)


def test_many_rows_and_classes_at_once() -> None:
    held = a_held(10_000, 100)
    found = bootstrap(held, {"m": guesses(held.targets, 100, 2.0)})["m"]
    share = found.value["accuracy"]
    found_low = interval(found.draws("accuracy")).low
    assert found_low == pytest.approx(share - 1.96 * np.sqrt(share * (1 - share) / 10_000), abs=1e-3)
