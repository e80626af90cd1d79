"""The evidence in words: what a newcomer reads, within 80 columns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from headstart.evidence.assess import Assessment, Gain
from headstart.evidence.evidence import Evidence, of_answers
from headstart.evidence.held_out import HeldOut
from headstart.evidence.intervals import Interval
from headstart.evidence.page import headline
from headstart.tasks import CLASSIFICATION, REGRESSION
from tests.evidence.conftest import a_held, guesses, labels_held, values_held


def told(evidence: Evidence, model: Interval, without: Interval, gain: Interval, verdict: str) -> Evidence:
    """The same with these figures of balanced accuracy."""
    one = Gain("balanced_accuracy", "no-transfer", *gain)
    return replace(
        evidence,
        assessment=Assessment(
            metrics=evidence.metrics | {"balanced_accuracy": model},
            baselines={"no-transfer": evidence.metrics | {"balanced_accuracy": without}},
            gains={"no-transfer": one},
            gain=one,
            verdict=verdict,  # type: ignore[arg-type]
        ),
    )


def a_page(held: HeldOut, skill: float = 2.0) -> Evidence:
    models = [guesses(held.targets, len(held.classes), skill * step, seed) for seed, step in enumerate((1.0, 0.5, 0.0))]
    rivals = dict(zip(("no-transfer", "majority"), models[1:], strict=True))
    return replace(of_answers(held, models[0], rivals), n_train=120, protocol="a held-out test split, opened once")


@pytest.mark.parametrize(
    ("gain", "verdict", "expected"),
    [
        (Interval(0.25, 0.18, 0.32), "helps", "gain +.25 [.18, .32]: transfer helps"),
        (Interval(-0.1, -0.2, -0.01), "hurts", "gain -.10 [-.20, -.01]: transfer hurts"),
        (Interval(0.02, -0.1, 0.14), "cannot tell", "gain +.02 [-.10, .14]: cannot tell whether transfer helps"),
        (Interval(0.5), "cannot tell", "gain +.50 [?]: cannot tell whether transfer helps"),
    ],
)
def test_the_headline(gain: Interval, verdict: str, expected: str) -> None:
    evidence = told(a_page(a_held(20, 3)), Interval(0.76, 0.70, 0.81), Interval(0.51, 0.4, 0.6), gain, verdict)
    assert headline(evidence) == f"balanced accuracy .76 [.70, .81]; without transfer .51; {expected}"


def test_without_a_rival_the_headline_is_the_score() -> None:
    found = of_answers(values_held(50), values_held(50).targets + 0.1, {})
    assert headline(found).startswith("R2 .99 [")
    assert "transfer" not in headline(found)


def test_a_page_tells_all_of_it() -> None:
    text = str(a_page(a_held(60, 3)))
    assert " ".join(text.split()).find("in brackets: 95 % intervals") > 0
    assert "120 rows to learn from, 60 rows to test on (a held-out test split, opened" in text
    for word in ("this model", "no-transfer", "majority", "accuracy", "balanced accuracy", "macro F1", "log loss"):
        assert word in text
    assert "classes  precision  recall    F1  rows" in text
    assert "mistakes made most often" in text
    assert "taken for class" in text


def test_of_many_classes_the_weakest_are_shown() -> None:
    found = a_page(a_held(400, 30))
    text = str(found)
    assert "the 5 weakest of 30 classes" in text
    weakest = min(found.classes, key=lambda one: one.f1)
    assert str(weakest.label) in text.split("weakest")[1].split("\n")[1]


@pytest.mark.parametrize(
    "held",
    [
        a_held(60, 3),
        a_held(400, 30)._replace(classes=tuple(f"a class with quite a long name, number {i}" for i in range(30))),
        a_held(40, 2)._replace(classes=("x" * 100, "y" * 100)),
        labels_held(50, 4),
        values_held(50),
        values_held(50)._replace(targets=values_held(50).targets * 12_345 + 1e6),
        a_held(1, 2),
        values_held(1),
    ],
    ids=["few", "many", "long", "labels", "values", "large values", "one row", "one value"],
)
def test_every_line_fits(held: HeldOut) -> None:
    if held.kind == CLASSIFICATION:
        found = a_page(held)
    else:
        random = np.random.default_rng(0).random((2, *held.targets.shape))
        scale = np.abs(held.targets).max() if held.kind == REGRESSION else 1
        found = of_answers(held, random[0] * scale, {"random-weights": random[1] * scale, "no-transfer": random[1]})
    found = replace(found, notes=("a note of many words " * 10,), protocol="5-fold cross-validation, repeated 3 times")
    lines = str(found).split("\n")
    assert max(map(len, lines)) <= 79
    assert not any(line.count("[") != line.count("]") for line in lines)
    assert all(line == line.rstrip() for line in lines)


def test_fractions_of_repeats_are_short() -> None:
    held = HeldOut(np.array([0, 0, 1]), CLASSIFICATION, ("cat", "dog"))
    one, other = np.array([[0.0, 1.0], [1, 0], [0, 1]]), np.array([[1.0, 0.0], [1, 0], [0, 1]])
    text = str(of_answers(held, np.stack([one, other, other]), {}))
    assert "  cat taken for dog: 0.3 of 2" in text
