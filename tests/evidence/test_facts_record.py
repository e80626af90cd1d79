"""The facts as the object "about" of `evidence.json`: the keys that are stored, and nothing else believed."""

from __future__ import annotations

import json
import math

import pytest

from headstart.errors import DataError
from headstart.evidence.evidence import Evidence
from headstart.evidence.facts import EvidenceFacts, ModelFacts, SourceFacts, StepFacts, Unlearnt
from headstart.evidence.facts_record import facts_from, facts_record, transfer_untold
from headstart.evidence.intervals import Interval
from headstart.tasks.task import SetAside
from tests.evidence.conftest import a_held
from tests.evidence.test_evidence import evidence_of

ASIDE = SetAside("row 7", "no number", 7)
SOURCE = SourceFacts(
    base="kernel",
    asked="auto",
    rows=245,
    of_source=True,
    set_aside=(ASIDE,),
    target_labels="none",
    bare=40,
    guard="none is better",
    step={"cost": 0.5},
)
MODEL = ModelFacts(
    backbone=None,
    n_set_aside=1,
    set_aside=(ASIDE,),
    method="kmm",
    source=SOURCE,
    head={"name": "ridge", "losses": {"0.1": 0.5}},
    engine={},
)
STEP = StepFacts("probe", "accuracy", Interval(0.8, 0.7, 0.9), "no-transfer", Interval(0.1, 0.0, 0.2), 0.5, 770)
WHOLE = EvidenceFacts(
    unlearnt=Unlearnt(2, 80, {"c": 2}, {"accuracy": 0.9}),
    model=MODEL,
    steps=(STEP,),
    transfer_untold="too few rows",
    left_out=("random-weights",),
)


def test_there_and_back_with_the_keys_that_are_stored():
    record = facts_record(WHOLE)
    assert list(record) == [
        "unlearnt",
        *("backbone", "method", "base", "asked", "source_rows", "of_source", "source_set_aside", "target_labels"),
        *("target_rows_without_label", "guard", "step", "head", "engine", "n_set_aside", "set_aside"),
        *("steps", "transfer_untold", "left_out"),
    ]
    assert record["set_aside"] == record["source_set_aside"] == [{"name": "row 7", "why": "no number", "place": 7}]
    assert record["unlearnt"] == {"rows": 2, "of": 80, "labels": {"c": 2}, "scores_without": {"accuracy": 0.9}}
    assert record["steps"][0]["gain"] == {"value": 0.1, "low": 0.0, "high": 0.2}
    assert facts_from(json.loads(json.dumps(record))) == WHOLE


def test_what_is_not_said_has_no_key():
    assert facts_record(EvidenceFacts()) == {}
    assert facts_from({}) == EvidenceFacts()
    later = EvidenceFacts(model=ModelFacts(backbone=None, n_set_aside=0))
    assert facts_record(later) == {"backbone": None, "n_set_aside": 0}
    assert facts_from(facts_record(later)) == later
    alone = EvidenceFacts(unlearnt=Unlearnt(2, 2, {"c": 2}))
    assert facts_record(alone) == {"unlearnt": {"rows": 2, "of": 2, "labels": {"c": 2}}}


def test_figures_that_are_not_known_are_null():
    record = facts_record(EvidenceFacts(steps=(STEP,)))
    record["steps"][0]["gain"] = {"value": 0.1, "low": None, "high": None}
    (step,) = facts_from(record).steps
    assert step.gain.value == 0.1
    assert math.isnan(step.gain.low)


def test_a_record_of_an_earlier_version_lacks_some_keys():
    facts = facts_from({"backbone": "bundled:minilm", "method": "coral", "source_rows": 9})
    assert (facts.model.source.rows, facts.model.source.of_source, facts.model.n_set_aside) == (9, False, 0)


@pytest.mark.parametrize(
    ("model", "carried"),
    [
        (None, True),
        (ModelFacts(backbone="bundled:minilm", n_set_aside=0), True),
        (ModelFacts(backbone=None, n_set_aside=0), False),
        (MODEL, True),
    ],
)
def test_something_is_carried_over_by_a_backbone_or_by_answers_of_a_source(model, carried):
    assert EvidenceFacts(model=model).carried is carried


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"backbone": 3}, "damaged: backbone is 3, expected str"),
        ({"backbone": None, "n_set_aside": "few"}, "damaged: n_set_aside is 'few', expected int"),
        ({"backbone": None, "n_set_aside": True}, "damaged: n_set_aside is True, expected int"),
        ({"backbone": None, "set_aside": [{"place": 1}]}, "damaged: .*missing"),
        ({"backbone": None, "set_aside": [3]}, "damaged: "),
        ({"backbone": None, "source_rows": 9, "of_source": 1}, "damaged: of_source is 1, expected bool"),
        ({"steps": {}}, "damaged: steps is {}, expected list"),
        ({"steps": [{"step": "probe"}]}, "damaged: metric is missing, expected str"),
        ({"steps": [facts_record(WHOLE)["steps"][0] | {"seconds": "long"}]}, "damaged: 'long' is not a number"),
        ({"steps": [facts_record(WHOLE)["steps"][0] | {"score": {"worth": 1.0}}]}, "damaged: .*worth"),
        ({"unlearnt": {"rows": 2, "of": 3, "labels": {"c": "two"}}}, "damaged: c is 'two', expected int"),
        ({"left_out": "probe"}, "damaged: left_out is 'probe', expected list"),
        ({"transfer_untold": 1}, "damaged: transfer_untold is 1, expected str"),
    ],
)
def test_what_was_not_written_is_refused(about, words):
    record = json.loads(json.dumps(evidence_of(a_held(20, 3)).to_json())) | {"about": about}
    with pytest.raises(DataError, match=words):
        Evidence.from_json(record)


def test_why_transfer_is_not_judged_is_read_from_a_whole_record():
    assert transfer_untold({"about": {"transfer_untold": "too few"}}) == "too few"
    assert transfer_untold({"about": {}}) is transfer_untold({"about": 3}) is transfer_untold({}) is None
