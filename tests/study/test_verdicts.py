"""With a source: did transfer help, did adaptation help; over whom, on which rows, and where nobody can say."""

from __future__ import annotations

import json
from importlib.metadata import distribution

import numpy as np
import pandas as pd
import pytest
from demo_data import emoji_folder, rated_sentences
from PIL import Image

from headstart import DataError, Roles, fit
from headstart.artefact.card import card
from headstart.artefact.config import config_of
from headstart.evidence.evidence import Evidence
from headstart.evidence.page import headline

MPG = Roles(target="mpg")
TEXTS = Roles(input=("text",), target="label")


def cars(origin):
    files = distribution("bokeh-sampledata").files or []
    (path,) = [file.locate() for file in files if file.name == "auto-mpg.csv"]
    frame = pd.read_csv(path)
    return frame[frame["origin"] == origin].drop(columns=["origin", "name"]).reset_index(drop=True)


def halved(table):
    """One split in place of cross-validation, which is fifteen trials."""
    return table.assign(split=np.where(np.arange(len(table)) % 2, "train", "test"))


US, EUROPE = cars(1), cars(2)


def ways(method, target=EUROPE, **more):
    return fit(target, source=US, roles=MPG, method=method, cache=False, **more)


@pytest.fixture(scope="module")
def of_the_source():
    """The model of the source alone, tested on the target."""
    return ways("source-only")


def told(evidence):
    """The headline, and that the record comes back as it went."""
    again = Evidence.from_json(json.loads(json.dumps(evidence.to_json(), allow_nan=False)))
    assert again.adaptation == evidence.adaptation
    assert str(again) == str(evidence)
    return headline(evidence)


def test_a_step_that_hurts_is_said_to_in_the_headline_the_record_and_the_card():
    made = ways("coral")
    evidence = made.evidence_
    assert (evidence.gain.over, evidence.verdict) == ("no-transfer", "hurts")
    found = evidence.adaptation
    assert (found.gain.over, found.verdict) == ("target-only", "hurts")
    assert found.gain == evidence.assessment.gains["target-only"]._replace(over="target-only")
    assert found.why.startswith("the best of source-only, target-only, pooled, on labelled target rows held out")
    said = told(evidence)
    assert ": transfer hurts; gain over target-only, which does not adapt, -" in said
    assert said.endswith("]: adaptation hurts")
    record = evidence.to_json()["adaptation"]
    assert record["gain"]["value"] == found.gain.value
    assert (record["over"], record["verdict"]) == ("target-only", "hurts")
    text = card(made.model_, "m", config_of(made.model_, slim=False))
    assert "Transfer: **hurts**. Gain in r2 over no-transfer: -" in text
    assert "Adaptation: **hurts**. Gain in r2 over target-only: -" in text


def test_no_transfer_is_what_the_target_says_of_itself(of_the_source):
    """The same rows, the same folds: the source and its labels play no part in it."""
    found = [
        of_the_source.evidence_,
        fit(EUROPE, source=US[::2], roles=MPG, method="coral", cache=False).evidence_,
    ]
    assert found[0].baselines["no-transfer"] == found[1].baselines["no-transfer"]
    assert found[0].baselines["no-transfer"]["r2"].value > 0.6
    assert found[0].baselines["majority"]["r2"].value < 0.05


@pytest.mark.parametrize("method", ["source-only", "target-only", "pooled"])
def test_a_way_that_does_not_adapt_has_no_verdict_on_adaptation(of_the_source, method):
    evidence = (of_the_source if method == "source-only" else ways(method, halved(EUROPE))).evidence_
    assert evidence.verdict is not None
    assert evidence.adaptation == (None, None, f"{method} does not adapt")
    said = told(evidence)
    assert said.endswith(f"; adaptation not judged: {method} does not adapt")
    assert ("transfer" in said.split("gain")[1]) == (method != "target-only")  # which draws on neither


def test_where_the_targets_answers_may_not_be_learnt_from_columns_have_nobody_without_transfer():
    evidence = ways("coral", target_labels="none").evidence_
    assert (evidence.gain, evidence.verdict) == (None, None)
    assert evidence.adaptation.verdict == "hurts"
    assert evidence.adaptation.gain.over == "source-only"
    said = told(evidence)
    assert "whether transfer helps is not known: a model without the source would learn from answers of the" in said
    assert said.endswith("adaptation hurts")


@pytest.mark.parametrize("target", [EUROPE.drop(columns="mpg"), EUROPE[:1]], ids=["no label", "one label"])
def test_what_was_not_tested_on_the_target_has_no_verdict(target):
    made = ways("likeness", target)
    evidence = made.evidence_
    assert (evidence.gain, evidence.verdict) == (None, None)
    assert (evidence.adaptation.gain, evidence.adaptation.verdict) == (None, None)
    why = "target row has a label, so that nothing was tested on the target"
    assert evidence.adaptation.why.endswith(why)
    assert f"whether transfer and adaptation help is not known: {evidence.adaptation.why}" in told(evidence)
    assert f"Adaptation: not judged, {evidence.adaptation.why}." in card(
        made.model_, "m", config_of(made.model_, slim=False)
    )


def test_too_few_labels_to_choose_by_are_said():
    """Four rows to learn from: the best that does not adapt is found on the tested rows, which is said."""
    target = EUROPE.assign(split=["train"] * 4 + ["test"] * 64)
    evidence = ways("coral", target).evidence_
    plain = {name: evidence.assessment.gains[name] for name in ("source-only", "target-only", "pooled")}
    worst = min(plain.values(), key=lambda gain: gain.value)
    assert evidence.adaptation.gain == worst
    assert "on the tested rows themselves" in evidence.adaptation.why
    assert evidence.verdict is not None


def test_of_a_target_without_training_labels_the_test_data_judge():
    evidence = fit(
        EUROPE[:40].drop(columns="mpg"), source=US, test=EUROPE[40:], roles=MPG, method="coral", cache=False
    ).evidence_
    assert "whether transfer helps is not known: " in told(evidence)
    assert "too few can be learnt from" in told(evidence)
    assert evidence.adaptation.gain.over == "source-only"


def test_one_answer_to_learn_from_is_no_reason_to_stay_silent():
    """Eight cars to learn from, all of which go far."""
    source, target = (table.assign(thirsty=table["mpg"] < 20).drop(columns="mpg") for table in (US, EUROPE))
    target = target.sort_values("thirsty", kind="stable").reset_index(drop=True)
    target["split"] = np.where(np.arange(len(target)) < 8, "train", "test")
    made = fit(target, source=source, roles=Roles(target="thirsty"), method="source-only", cache=False)
    evidence = made.evidence_
    assert evidence.baselines["no-transfer"] == evidence.baselines["majority"]
    assert evidence.verdict is not None


def sentences(domain, count):
    rows = [
        (text, "praise" if rating > 0 else "blame") for _, rating, text in rated_sentences(domain) if abs(rating) > 1
    ]
    chosen = np.random.default_rng(0).permutation(len(rows))[:count]
    return pd.DataFrame([rows[row] for row in chosen], columns=["text", "label"])


@pytest.mark.parametrize("labels", ["all", "none"])
def test_sentences_of_a_shop_for_tweets(labels):
    made = fit(halved(sentences("tweets", 120)), source=sentences("amazon", 200), backbone="bundled:wordllama",
               roles=TEXTS, method="likeness", target_labels=labels, engine="torch", cache=False)  # fmt: skip
    evidence = made.evidence_
    over = "no-transfer" if labels == "all" else "no-pretraining"
    assert (evidence.gain.over, evidence.gain) == (over, evidence.assessment.gains[over])
    assert evidence.verdict in ("helps", "cannot tell", "hurts")
    assert {"majority", "random-weights", over, "source-only"} <= set(evidence.baselines)
    what = "transfer" if labels == "all" else "pretraining"
    said = told(evidence)
    assert f"; without {what} " in said
    assert what in said.split(";")[2]
    assert evidence.adaptation.verdict is not None
    assert ("Pretraining: **" in card(made.model_, "m", config_of(made.model_, slim=False))) == (labels == "none")


def test_pictures_and_the_same_in_grey(tmp_path):
    files = sorted(emoji_folder(tmp_path / "colour", at_least=60, at_most=8).rglob("*.png"))
    for number, path in enumerate(files[1::2]):
        part = "train" if number % 3 else "test"  # one trial in place of fifteen
        grey = tmp_path / "grey" / part / path.parent.name / path.name
        grey.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(path) as picture:
            picture.convert("RGBA").convert("LA").save(grey)
        path.unlink()
    evidence = fit(tmp_path / "grey", source=tmp_path / "colour", backbone="bundled:efficientnet-lite0",
                   method="coral", engine="torch", cache=False).evidence_  # fmt: skip
    assert evidence.gain.over == "no-transfer"
    assert {"majority", "no-transfer", "random-weights", "source-only", "pooled"} <= set(evidence.baselines)
    assert evidence.adaptation.gain is not None
    told(evidence)


def test_a_record_of_before_has_no_adaptation_and_a_damaged_one_is_refused(of_the_source):
    record = of_the_source.evidence_.to_json()
    old = {key: value for key, value in record.items() if key != "adaptation"}
    assert Evidence.from_json(old).adaptation is None
    for wrong in (3, {"gain": None}, {"gain": None, "verdict": "wins", "why": ""}):
        with pytest.raises(DataError, match="adaptation"):
            Evidence.from_json(record | {"adaptation": wrong})
