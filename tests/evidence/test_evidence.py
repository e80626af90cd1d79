"""The record of the evidence: valid JSON, there and back, and nothing else accepted."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from headstart.errors import DataError
from headstart.evidence.evidence import Evidence, of_answers
from headstart.evidence.facts import EvidenceFacts, ModelFacts
from headstart.evidence.held_out import HeldOut
from headstart.evidence.intervals import Interval
from headstart.tasks import CLASSIFICATION, REGRESSION
from tests.evidence.conftest import a_held, guesses, labels_held, values_held

ISSUE_KEYS = ("n_train", "n_test", "seed", "metrics", "baselines", "gain", "verdict", "seconds")


def evidence_of(held: HeldOut, seed: int = 0) -> Evidence:
    random = np.random.default_rng(seed)
    if held.kind == CLASSIFICATION:
        models = [guesses(held.targets, len(held.classes), skill, seed) for skill in (3.0, 1.0, 0.0)]
    else:
        models = list(random.random((3, *held.targets.shape)))
    rivals = dict(zip(("no-transfer", "majority"), models[1:], strict=True))
    return replace(
        of_answers(held, models[0], rivals, seed=seed),
        n_train=20,
        protocol="a held-out test split, opened once",
        seconds={"features": 1.5, "head": 0.2, "baselines": 0.5, "total": 2.2},
        facts=EvidenceFacts(
            model=ModelFacts(backbone="bundled:minilm", n_set_aside=1, head={"losses": {"0.1": np.float32(0.5)}})
        ),
        notes=("a note",),
        findings=({"what": "empty texts", "count": 2},),
    )


KINDS = pytest.mark.parametrize(
    "held", [a_held(40, 3), labels_held(40, 3), values_held(40)], ids=lambda held: held.kind
)


@KINDS
def test_the_record_has_what_the_issue_asks_for(held: HeldOut) -> None:
    record = evidence_of(held).to_json()
    assert set(ISSUE_KEYS) <= set(record)
    assert record["n_test"] == 40
    assert set(record["metrics"]) == set(held.kind.metrics)
    for scores in (record["metrics"], *record["baselines"].values()):
        assert all(set(one) == {"value", "low", "high"} for one in scores.values())
    assert set(record["gain"]) == {"metric", "over", "value", "low", "high"}
    assert record["gain"]["over"] == "no-transfer"
    assert record["gain"] == record["gains"]["no-transfer"]
    assert record["verdict"] in ("helps", "cannot tell", "hurts")


@KINDS
def test_there_and_back(held: HeldOut) -> None:
    found = evidence_of(held)
    text = json.dumps(found.to_json(), allow_nan=False)
    back = Evidence.from_json(json.loads(text))
    assert back.to_json() == found.to_json()
    assert str(back) == str(found)
    assert back == replace(found, facts=back.facts)


def test_what_is_not_known_is_null_and_comes_back_unknown() -> None:
    found = of_answers(HeldOut(np.array([2.0]), REGRESSION), np.array([1.0]), {"no-transfer": np.array([3.0])})
    text = json.dumps(found.to_json(), allow_nan=False)
    assert json.loads(text)["metrics"]["r2"] == {"value": None, "low": None, "high": None}
    back = Evidence.from_json(json.loads(text))
    assert math.isnan(back.metrics["r2"].value)
    assert back.verdict == "cannot tell"
    assert back.to_json() == found.to_json()


@pytest.mark.parametrize("labels", [(1, 2), (True, False), tuple(np.array([7, 9])), ("a", "b"), (("x", 1), ("y", 2))])
def test_labels_of_any_kind_are_written(labels: tuple[Any, Any]) -> None:
    held = HeldOut(np.array([0, 1, 1]), CLASSIFICATION, labels)
    found = of_answers(held, np.full((3, 2), 0.5), {})
    back = Evidence.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False)))
    assert str(back) == str(found)


def test_a_large_matrix_is_left_out() -> None:
    held = a_held(150, 101)
    assert of_answers(held, guesses(held.targets, 101, 1.0), {}).confusion == ()


def test_the_parts_are_at_hand() -> None:
    found = evidence_of(a_held(60, 3))
    assert isinstance(found.metrics["accuracy"], Interval)
    assert set(found.baselines) == {"no-transfer", "majority"}
    assert found.gain is not None
    assert found.gain.value == pytest.approx(
        found.metrics["balanced_accuracy"].value - found.baselines["no-transfer"]["balanced_accuracy"].value
    )
    assert found.verdict == "helps"
    assert len(found.classes) == len(found.confusion) == 3


def changed(**changes: Any) -> dict[str, Any]:
    record = json.loads(json.dumps(evidence_of(a_held(20, 3)).to_json()))
    for key, value in changes.items():
        record[key] = value
    return record


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ([], "no evidence of headstart: it has no key 'format'"),
        ({}, "no evidence of headstart: it has no key 'format'"),
        (changed(format=2), "has format 2, and this headstart reads 1: use the version of headstart that wrote it"),
        ({key: value for key, value in changed().items() if key != "gain"}, "damaged: it has no key 'gain'; fit the"),
        (changed(n_test="many"), "damaged: n_test is 'many', expected int"),
        (changed(n_test=True), "damaged: n_test is True, expected int"),
        (changed(kind="ranking"), "damaged: kind is 'ranking', expected one of"),
        (changed(verdict="wins"), "damaged: verdict is 'wins', expected one of"),
        (changed(metrics={}), "accuracy, balanced_accuracy, .* is not among the scores"),
        (changed(metrics=dict.fromkeys(CLASSIFICATION.metrics, 1.0)), "damaged: 'float' object"),
        (changed(metrics={key: {"value": "x"} for key in CLASSIFICATION.metrics}), "damaged: 'x' is not a number"),
        (changed(metrics={key: {"worth": 1.0} for key in CLASSIFICATION.metrics}), "damaged: .*worth"),
        (changed(baselines={"majority": 3}), "damaged: "),
        (
            changed(gain={"metric": "accuracy", "over": "luck", "value": 1.0}),
            "gain is over 'luck', which is no baseline",
        ),
        (changed(classes=[{"label": "a"}]), "damaged: .*missing"),
        (changed(mistakes=[3]), "damaged: "),
    ],
)
def test_what_is_no_evidence_is_refused(record: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        Evidence.from_json(record)
