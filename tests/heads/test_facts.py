"""How a head came about, as the object "config" of a saved model: the keys that are stored, there and back."""

from __future__ import annotations

import json
import math

import pytest

from headstart.heads.facts import FitterFacts, ProbeFacts, TrainingFacts, facts_from, facts_record

PROBE = ProbeFacts(
    account={"strength": 0.1, "losses": {"0.1": 0.5}},
    candidates={"ridge": 0.5, "logistic": 0.6},
    standard_errors={"ridge": 0.0, "logistic": 0.1},
    rule="lowest log loss",
    share_exponent=0.5,
)
TRAINING = TrainingFacts(
    epochs=2,
    parameters=770,
    rows=(12, 3),
    rule="each stage lasts all its epochs",
    curves=((0, 0, 0.5, 0.6), (0, 1, 0.4, None)),
    target_rows=9,
    seconds=1.5,
    account={"alpha": 0.5},
    steps=6,
)


@pytest.mark.parametrize(
    ("facts", "keys"),
    [
        (FitterFacts(), []),
        (FitterFacts(account={"trees": 40}), ["trees"]),
        (PROBE, ["strength", "losses", "candidates", "standard_errors", "rule", "share_exponent"]),
        (TRAINING, ["epochs", "parameters", "rows", "rule", "curves", "target_rows", "seconds", "steps", "alpha"]),
    ],
)
def test_there_and_back_with_the_keys_that_are_stored(facts, keys):
    record = facts_record(facts)
    assert list(record) == keys
    assert facts_from(json.loads(json.dumps(record))) == facts


def test_what_is_not_known_has_no_key():
    plain = ProbeFacts(account={}, candidates={"ridge": 0.5}, standard_errors={}, rule="lowest RMSE")
    assert facts_record(plain) == {"candidates": {"ridge": 0.5}, "rule": "lowest RMSE"}
    assert facts_from(facts_record(plain)) == plain


def test_figures_that_are_not_known_are_null():
    record = facts_record(PROBE) | {"standard_errors": {"ridge": None}}
    assert math.isnan(facts_from(record).standard_errors["ridge"])
