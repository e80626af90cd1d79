"""The table of criteria, and the choice: which model, and the rule in words."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from headstart.adaptation.scorers.criteria import CRITERIA, Said, choose
from headstart.adaptation.scorers.neighbourhood_density import neighbourhood_density
from tests.evidence.conftest import guesses

Array = np.ndarray[Any, Any]
TRUTH = np.random.default_rng(1).integers(0, 2, 80)


def said(skill: float, **changed: Any) -> Said:
    """Of a model that is better than chance by `skill`, on two tasks alike."""
    random = np.random.default_rng(0)
    y = random.integers(0, 2, 90)
    x, z = (random.normal(size=(len(codes), 2)) + 3 * codes[:, None] for codes in (y, TRUTH))
    p_source, p_target = guesses(y, 2, skill, 1), guesses(TRUTH, 2, skill, 2)
    made = Said(x, y, z, p_target, p_source, np.log(p_target), np.ones(90), np.array([0.5, 0.5]),
                lambda rows, codes: LogisticRegression().fit(rows, codes).predict)  # fmt: skip
    return made._replace(**changed)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_every_criterion_prefers_sure_and_right_to_idle(criterion: str) -> None:
    """Sure, right and balanced, against one class of every row by a hair, which is what only SND would praise."""
    idle = np.tile([0.49, 0.51], (170, 1))
    unsure = said(0, p_source=idle[:90], p_target=idle[90:], logits=np.log(idle[90:]))
    models = {"idle": unsure, "able": said(12)}
    assert choose(criterion, models).name == ("idle" if criterion == "snd" else "able")


def test_the_choice_says_its_rule_and_every_score() -> None:
    models = {"one": said(2), "two": said(6)}
    found = choose("entropy", models)
    assert found.rule == (
        f"two has the lowest entropy ({found.scores['two']:.4g}) of 2 models; no target label was used; it "
        "assumes that models are calibrated alike, and the surer one is right"
    )
    assert found.scores == {name: CRITERIA["entropy"].of(one) for name, one in models.items()}
    assert "highest infomax" in choose("infomax", models).rule
    assert json.loads(json.dumps(found.to_json(), allow_nan=False)) == found.to_json()


def test_of_many_rows_a_criterion_takes_some_and_the_rule_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headstart.adaptation.scorers.criteria._DENSE", 50)
    monkeypatch.setitem(CRITERIA, "snd", CRITERIA["snd"]._replace(most=50))
    one = said(2)
    found = choose("snd", {"one": one})
    assert found.rule.endswith("; taken on 50 of the 80 target rows, drawn at random")
    assert found.scores["one"] == neighbourhood_density(one.p_target, most=50)
    assert "drawn" not in choose("infomax", {"one": one}).rule


def test_of_equals_the_first_and_never_one_that_is_not_defined() -> None:
    assert choose("mano", {"first": said(2), "second": said(2)}).name == "first"
    lost = said(2, fit=lambda rows, codes: lambda asked: np.full(len(asked), np.nan), answers=np.linspace(0, 1, 90),
                p_target=np.linspace(0, 1, 80))  # fmt: skip
    back = lost._replace(fit=lambda rows, values: LinearRegression().fit(rows, values).predict)
    found = choose("reverse", {"lost": lost, "back": back})
    assert found.name == "back"
    assert found.to_json()["scores"]["lost"] is None
    assert "of 1 models" in found.rule
    with pytest.raises(ValueError, match="reverse is not a number for any of lost: use another criterion"):
        choose("reverse", {"lost": lost})


@pytest.mark.parametrize("criterion", [name for name, row in CRITERIA.items() if row.regression])
def test_those_that_hold_for_regression_choose_there(criterion: str) -> None:
    random = np.random.default_rng(0)
    x, z = random.normal(size=(60, 2)), random.normal(size=(50, 2))
    y = x.sum(axis=1)

    def model(by: float) -> Said:
        return Said(x, y, z, by * z.sum(axis=1), by * y, weights=np.ones(60),
                    fit=lambda rows, values: LinearRegression().fit(rows, values).predict)  # fmt: skip

    assert choose(criterion, {"flat": model(0.1), "right": model(1.0)}).name == "right"


@pytest.mark.parametrize("criterion", [name for name, row in CRITERIA.items() if not row.regression])
def test_those_for_classes_refuse_values(criterion: str) -> None:
    with pytest.raises(ValueError, match=f"{criterion} is for classes, .* use one of iwv, .*reverse"):
        choose(criterion, {"values": said(1, p_target=np.ones(80))})


@pytest.mark.parametrize(
    ("criterion", "changed", "words"),
    [
        ("iwv", {"weights": None}, "weights is None: this criterion needs density ratios"),
        ("dev", {"p_source": None}, "p_source is None: this criterion needs what the model says of source rows"),
        ("reverse", {"fit": None}, "fit is None: this criterion needs a function"),
        ("shares", {"shares": None}, "shares is None: this criterion needs the estimated shares"),
    ],
)
def test_what_is_missing_is_named(criterion: str, changed: dict[str, None], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        choose(criterion, {"it": said(1, **changed)})


def test_mano_without_logits_is_the_norm_of_the_probabilities() -> None:
    one = said(1, logits=None)
    assert CRITERIA["mano"].of(one) == pytest.approx(np.mean(one.p_target**4) ** 0.25)


def test_unknown_criterion_and_no_model() -> None:
    with pytest.raises(ValueError, match="criterion='luck': expected one of iwv, iwv-error, dev"):
        choose("luck", {"it": said(1)})
    with pytest.raises(ValueError, match="no model to choose from: expected one at least"):
        choose("iwv", {})
