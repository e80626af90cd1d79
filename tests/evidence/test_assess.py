"""The assessment: properties that hold whatever the data, and real models on real data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from headstart.evidence.assess import NO_TRANSFER, assess
from headstart.evidence.held_out import HeldOut
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION
from tests.evidence.conftest import a_held, guesses, labels_held, values_held

Array = np.ndarray[Any, Any]


@st.composite
def contests(draw: st.DrawFn) -> tuple[HeldOut, Array, Array]:
    """Held-out rows of any kind, with or without groups, and two models of them."""
    kind = draw(st.sampled_from([CLASSIFICATION, MULTILABEL, REGRESSION]))
    rows, seed = draw(st.integers(1, 40)), draw(st.integers(0, 999))
    random = np.random.default_rng(seed)
    held = {
        CLASSIFICATION: a_held(rows, 3, seed),
        MULTILABEL: labels_held(rows, 3, seed),
        REGRESSION: values_held(rows, seed),
    }[kind]
    if draw(st.booleans()):
        held = held._replace(group=random.integers(0, 5, rows))
    if kind == CLASSIFICATION:
        return held, guesses(held.targets, 3, 2.0, seed), guesses(held.targets, 3, 0.5, seed + 1)
    if kind == MULTILABEL:
        return held, *random.random((2, rows, 3))
    return held, *(held.targets + random.normal(size=(2, rows)))


@settings(max_examples=40, deadline=None)
@given(contests())
def test_a_model_gains_nothing_over_itself(contest: tuple[HeldOut, Array, Array]) -> None:
    held, p, _ = contest
    found = assess(held, p, {NO_TRANSFER: p})
    assert found.gain is not None
    undefined = held.kind == REGRESSION and len(held.targets) == 1
    expected = (np.nan,) * 3 if undefined else (0.0, 0.0, 0.0)
    assert found.gain.interval == pytest.approx(expected, abs=0, nan_ok=True)
    assert found.verdict == "cannot tell"


@settings(max_examples=40, deadline=None)
@given(contests())
def test_swapping_the_models_swaps_gain_and_verdict(contest: tuple[HeldOut, Array, Array]) -> None:
    held, p, other = contest
    forth, back = assess(held, p, {NO_TRANSFER: other}), assess(held, other, {NO_TRANSFER: p})
    assert forth.gain is not None
    assert back.gain is not None
    mirrored = (-back.gain.value, -back.gain.high, -back.gain.low)
    assert forth.gain.interval == pytest.approx(mirrored, abs=1e-9, nan_ok=True)
    assert forth.verdict == {"helps": "hurts", "hurts": "helps", "cannot tell": "cannot tell", None: None}[back.verdict]
    assert repr(forth.metrics) == repr(back.baselines[NO_TRANSFER])


@pytest.mark.parametrize("held", [a_held(40, 4), labels_held(40, 3), values_held(40)], ids=lambda held: held.kind)
def test_a_perfect_model_helps_against_chance(held: HeldOut) -> None:
    perfect = np.eye(4)[held.targets] if held.kind == CLASSIFICATION else held.targets.astype(float)
    random = np.random.default_rng(0)
    chance = guesses(held.targets, 4, 0.0) if held.kind == CLASSIFICATION else random.random(held.targets.shape)
    assert assess(held, perfect, {NO_TRANSFER: chance}).verdict == "helps"
    assert assess(held, chance, {NO_TRANSFER: perfect}).verdict == "hurts"


def test_without_a_rival_there_is_no_verdict() -> None:
    held = a_held(20, 3)
    found = assess(held, guesses(held.targets, 3, 1.0), {"majority": np.full((20, 3), 1 / 3)})
    assert found.gain is None
    assert found.verdict is None
    assert found.gains["majority"].over == "majority"


def test_real_digits_against_the_majority() -> None:
    x, y = load_digits(return_X_y=True)
    held = HeldOut(y[500:], CLASSIFICATION, tuple(range(10)))
    models = {
        name: model.fit(x[:500], y[:500]).predict_proba(x[500:])
        for name, model in {
            "strong": LogisticRegression(C=0.01, max_iter=1000),
            "weak": LogisticRegression(C=1e-6, max_iter=1000),
            "majority": DummyClassifier(),
        }.items()
    }
    found = assess(held, models["strong"], {NO_TRANSFER: models["weak"], "majority": models["majority"]})
    assert found.verdict == "helps"
    assert found.gain is not None
    assert found.gain.metric == "balanced_accuracy"
    assert found.gains["majority"].low > 0.7
    assert found.baselines["majority"]["balanced_accuracy"].value == pytest.approx(0.1)
    assert found.metrics["accuracy"].low < found.metrics["accuracy"].value < found.metrics["accuracy"].high
