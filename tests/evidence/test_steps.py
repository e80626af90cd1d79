"""What each dearer step bought: paired gains by hand, and a table that fits a terminal."""

from __future__ import annotations

import json

import numpy as np
import pytest

from headstart.evidence.facts import EvidenceFacts
from headstart.evidence.facts_record import facts_from, facts_record
from headstart.evidence.held_out import HeldOut
from headstart.evidence.steps import Cost, steps, table
from headstart.tasks import CLASSIFICATION

TRUTH = np.array([0, 1] * 50)


def said(right):
    """Probabilities that name the right class in so many rows of each class."""
    good = np.arange(len(TRUTH)) // 2 < right
    named = np.where(good, TRUTH, 1 - TRUTH)
    return np.eye(2)[named] * 0.8 + 0.1


def held():
    return HeldOut(kind=CLASSIFICATION, targets=TRUTH, classes=("a", "b"), group=np.arange(len(TRUTH)))


def found(order=(("no-transfer", ""), ("probe", "no-transfer"), ("lora", "probe"), ("random-weights", "lora"))):
    answers = {"no-transfer": said(30), "probe": said(40), "lora": said(45)}
    costs = {"probe": Cost(0.5, 770), "lora": Cost(120.0, 332_931)}
    return steps(held(), answers, costs, list(order), seed=0)


def test_gains_are_differences_to_the_step_before_and_what_is_not_there_is_left_out():
    rows = found()
    assert [row.step for row in rows] == ["no-transfer", "probe", "lora"]
    assert rows[0].gain is None
    assert [row.score.value for row in rows] == pytest.approx([0.6, 0.8, 0.9])
    assert [row.gain.value for row in rows[1:]] == pytest.approx([0.2, 0.1])
    assert all(row.gain.low < row.gain.value < row.gain.high for row in rows[1:])
    assert (rows[2].seconds, rows[2].parameters, rows[0].parameters) == (120.0, 332_931, -1)
    record = json.loads(json.dumps(facts_record(EvidenceFacts(steps=rows))))
    assert record["steps"][0] | {"score": None} == {
        "step": "no-transfer",
        "metric": "balanced_accuracy",
        "score": None,
        "over": "",
        "gain": None,
        "seconds": 0.0,
        "parameters": -1,
    }
    assert facts_from(record).steps == rows


def test_the_table_fits_and_says_what_was_paid():
    lines = list(table(found()))
    assert len(lines) == 4
    assert all(len(line) < 80 for line in lines)
    assert lines[0].split() == ["step", "score", "gain", "over", "seconds", "learnt"]
    assert lines[1].split()[-2:] == ["0.0", "-"]
    assert lines[2].split()[-2:] == ["0.5", "770"]
    assert lines[3].split()[-2:] == ["120", "333k"]
    assert "+.10 [" in lines[3]
