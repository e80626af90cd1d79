"""The honest protocol on small real and made-up data: what is split how, and what the test rows may not do."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from demo_data import sentiment_csv
from PIL import Image
from sklearn.datasets import load_sample_images

import headstart
from headstart import Evidence, Roles
from headstart.errors import DataError

TEXT = {"backbone": "bundled:wordllama", "method": "ridge", "engine": "torch"}
TABLE = {"roles": Roles(target="kind"), "method": "ridge"}


def table(rows: int, seed: int = 0) -> pd.DataFrame:
    """Two numbers, one of which tells the kind most of the time."""
    draw = np.random.default_rng(seed)
    kind = draw.integers(0, 2, rows)
    return pd.DataFrame(
        {"size": draw.normal(size=rows) + 2 * kind, "noise": draw.normal(size=rows), "kind": np.where(kind, "b", "a")}
    )


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    return sentiment_csv(tmp_path_factory.mktemp("study") / "amazon.csv", train=150, test=120)


@pytest.fixture(scope="module")
def of_text(reviews):
    return headstart.fit(reviews, **TEXT)


@pytest.fixture(scope="module")
def of_table():
    return headstart.fit(table(120), **TABLE)


def scores(model):
    """The evidence but for its timing."""
    return {key: value for key, value in model.evidence_.to_json().items() if key != "seconds"}


def unnamed(model):
    """The same without the names of the rows that are shown, which say where in its own table a row stood."""
    record = scores(model)
    for shown in record["examples"]["rows"]:
        for named in (shown[0], *(near[0] for near in shown[5])):
            named[0] = ""
    return record


def test_few_rows_are_cross_validated(of_table):
    evidence = of_table.evidence_
    assert evidence.protocol == "5-fold cross-validation, repeated 3 times"
    assert (evidence.n_train, evidence.n_test) == (96, 120)
    assert any("Too few rows for a test split" in note for note in evidence.notes)


def test_many_rows_are_split_once():
    evidence = headstart.fit(table(500), **TABLE).evidence_
    assert evidence.protocol == "a held-out test split, opened once"
    assert evidence.n_train + evidence.n_test == 500
    assert 100 <= evidence.n_test <= 150


def test_a_given_split_is_honoured(of_text, reviews):
    evidence = of_text.evidence_
    given = pd.read_csv(reviews)["split"].value_counts()
    assert evidence.protocol == "the test split that came with the data"
    assert evidence.n_test == given["test"]
    assert evidence.n_train <= given["train"]


def test_text_is_compared_with_random_weights_and_tables_say_why_not(of_text, of_table):
    assert of_text.evidence_.to_json()["baselines"].keys() == {"majority", "no-transfer", "random-weights"}
    assert of_table.evidence_.to_json()["baselines"].keys() == {"majority", "no-transfer"}
    assert any("no weights to make random" in note for note in of_table.evidence_.notes)


def test_the_evidence_is_json_with_a_verdict(of_text, of_table):
    for model in (of_text, of_table):
        record = json.loads(json.dumps(model.evidence_.to_json(), allow_nan=False))
        assert record["verdict"] in ("helps", "cannot tell", "hurts")
        assert record["gain"]["low"] <= record["gain"]["value"] <= record["gain"]["high"]
        assert record["seconds"]["total"] >= record["seconds"]["head"]


def test_test_targets_never_reach_the_model(of_text, reviews, tmp_path):
    changed = pd.read_csv(reviews)
    tested = changed["split"] == "test"
    changed.loc[tested, "label"] = changed.loc[tested, "label"].sample(frac=1, random_state=0).to_numpy()
    changed.to_csv(path := tmp_path / "changed.csv", index=False)
    other = headstart.fit(path, **TEXT)
    assert other.evidence_.to_json()["metrics"] != of_text.evidence_.to_json()["metrics"]
    assert other.model_.head.temperature == of_text.model_.head.temperature
    for name, array in of_text.model_.head.arrays.items():
        np.testing.assert_array_equal(other.model_.head.arrays[name], array)


def test_one_seed_one_result():
    split = table(60).assign(split=["train", "train", "test"] * 20)
    assert scores(headstart.fit(split, **TABLE)) == scores(headstart.fit(split, **TABLE))


@pytest.mark.slow
def test_one_seed_one_result_of_cross_validation(of_table):
    assert scores(headstart.fit(table(120), **TABLE)) == scores(of_table)


def test_the_order_of_rows_changes_no_fold(of_table):
    shuffled = headstart.fit(table(120).sample(frac=1, random_state=1), **TABLE).evidence_.to_json()
    for metric, value in of_table.evidence_.to_json()["metrics"].items():
        assert shuffled["metrics"][metric]["value"] == pytest.approx(value["value"], abs=1e-3), metric


def test_new_data_are_scored_and_unknown_classes_count_as_wrong(of_table):
    new = table(80, seed=3)
    evidence = headstart.evaluate(of_table, new)
    assert (evidence.protocol, evidence.n_test) == ("new data", 80)
    assert evidence.to_json()["metrics"]["accuracy"]["value"] > 0.7
    new.loc[:4, "kind"] = "c"
    odd = headstart.evaluate(of_table, new)
    assert (odd.n_test, odd.facts.model.n_set_aside) == (80, 0)
    rest = headstart.evaluate(of_table, new[5:])
    assert odd.metrics["accuracy"].value == pytest.approx(rest.metrics["accuracy"].value * 75 / 80)
    unlearnt = odd.facts.unlearnt
    assert (unlearnt.rows, unlearnt.of, unlearnt.labels) == (5, 80, {"c": 5})
    assert unlearnt.scores_without["log_loss"] == pytest.approx(rest.metrics["log_loss"].value)
    assert "5 of 80 rows to test on have classes that the model did not learn: 'c'" in str(odd).replace("\n ", "")
    assert ("c", 0.0, 5) in [(one.label, one.recall, one.support) for one in odd.classes]
    assert any(mistake.truth == "c" for mistake in odd.mistakes)
    new["kind"] = "c"
    with pytest.raises(DataError, match="the model knows none of the labels 'c': it learnt 'a', 'b'"):
        headstart.evaluate(of_table, new)


@pytest.mark.parametrize("kind", ["classification", "multilabel"])
def test_one_rule_for_classes_that_no_training_row_has(kind):
    """Test data, a split column, and a later evaluation: the same figures."""
    train, test = table(120, seed=1), table(110, seed=2)
    test.loc[:9, "kind"], test.loc[10:12, "kind"] = "c", "d"
    if kind == "multilabel":
        train["kind"], test["kind"] = ([[*labels] for labels in data["kind"]] for data in (train, test))
        test.loc[13:14, "kind"] = pd.Series([["a", "c"], []], index=[13, 14])
    beside = headstart.fit(train, test=test, roles=Roles(target="kind"), method="ridge")
    both = pd.concat([train.assign(split="train"), test.assign(split="test")], ignore_index=True)
    column = headstart.fit(both, roles=Roles(target="kind"), method="ridge")
    later = headstart.evaluate(beside, test, roles=Roles(target="kind"))
    assert list(column.classes_) == list(beside.classes_) == ["a", "b"]
    assert {**unnamed(beside), "notes": ()} == {**unnamed(column), "notes": ()}
    figures = {metric: found.value for metric, found in later.metrics.items()}
    assert figures == pytest.approx({metric: found.value for metric, found in beside.evidence_.metrics.items()})
    assert later.facts.unlearnt == beside.evidence_.facts.unlearnt == column.evidence_.facts.unlearnt
    assert later.facts.unlearnt.labels == {"c": 10 + (kind == "multilabel"), "d": 3}
    assert later.n_test == 110


def test_a_regression_needs_no_classes():
    data = table(200).assign(kind=lambda rows: rows["size"] * 3 + rows["noise"], split=["train", "test"] * 100)
    model = headstart.fit(data, **TABLE)
    assert model.kind == "regression"
    assert model.evidence_.to_json()["metrics"]["r2"]["value"] > 0.9
    assert headstart.predict(model, data.drop(columns="kind")).values.shape == (200,)


def test_what_the_model_does_not_know_of_new_data_is_told_beside_their_score(of_text, of_table):
    chinese = ["员工很粗鲁,位置偏僻很难找。", "房间干净漂亮,价格便宜质量好。"]
    texts = pd.DataFrame({"text": chinese, "label": [str(name) for name in of_text.classes_]})
    assert any("of their tokens mean nothing to it" in note for note in headstart.evaluate(of_text, texts).notes)
    known = pd.DataFrame({"text": ["a fine day", "a bad day"], "label": texts["label"]})
    assert not any("tokens" in note for note in headstart.evaluate(of_text, known).notes)
    gaps = table(20, seed=7).assign(size=lambda rows: rows["size"].where(rows.index > 2))
    told = headstart.evaluate(of_table, gaps).notes
    assert "column 'size': 3 missing or unreadable cells, filled in as in training" in told


def test_checking_needs_no_backbone(reviews):
    report = headstart.check(reviews)
    assert report.rows == len(pd.read_csv(reviews))
    assert report.errors == ()


def test_answers_come_by_name(of_table):
    answers = headstart.predict(of_table, table(5, seed=9).drop(columns="kind"))
    assert [record["name"] for record in answers.rows()] == list(answers.names)
    assert "a" in str(replace(answers, set_aside=())) or "b" in str(answers)


@pytest.mark.slow
def test_a_tuned_model_stands_beside_every_cheaper_step(tmp_path):
    """Parts of two photographs whose things ImageNet has classes for; the pretrained classifier names them untaught."""
    rng = np.random.default_rng(0)
    for picture, name in zip(load_sample_images().images, ("palace", "daisy"), strict=True):
        for number in range(16):
            folder = tmp_path / ("test" if number < 6 else "train") / name
            folder.mkdir(parents=True, exist_ok=True)
            top, left = (int(rng.integers(0, length - 220)) for length in picture.shape[:2])
            Image.fromarray(picture[top : top + 220, left : left + 220]).save(folder / f"{number}.png")
    options = {"epochs": 1, "refit": 0}
    fitted = headstart.fit(str(tmp_path), backbone="bundled:efficientnet-lite0", method="top", options=options)
    evidence = fitted.evidence_
    names = [step.step for step in evidence.facts.steps]
    assert names == ["no-transfer", "direct", "probe", "top", "random-weights"]
    assert evidence.baselines["direct"]["accuracy"].value > 0.8
    learnt = {step.step: step.parameters for step in evidence.facts.steps}
    assert learnt["probe"] == 1280 * 2 + 2
    assert learnt["probe"] < learnt["top"] < learnt["random-weights"]
    assert all(step.seconds >= 0 for step in evidence.facts.steps)
    assert Evidence.from_json(evidence.to_json()).facts.steps == evidence.facts.steps
    assert "what each dearer step bought" in str(evidence)
    assert all(len(line) < 80 for line in str(evidence).splitlines())


class Stages:
    """Hears what is worked on."""

    def __init__(self) -> None:
        self.worked_on: list[str] = []

    def say(self, line: str) -> None:
        """Lines of words tell of no work."""

    def progress(self, stage: str, done: int, total: int) -> None:
        self.worked_on.append(stage)


@pytest.mark.parametrize(
    ("weight", "words"), [("heavy", "must be None, 'balanced'"), (3.5, "must be None, 'balanced'")]
)
def test_a_class_weight_that_is_none_is_refused_before_features_are_computed(reviews, weight, words):
    listener = Stages()
    with pytest.raises(ValueError, match=words):
        headstart.fit(reviews, **TEXT, class_weight=weight, listener=listener)
    assert listener.worked_on == []
    headstart.fit(reviews, **TEXT, class_weight="balanced", cache=False, listener=listener)
    assert listener.worked_on  # such work is heard of


def test_class_weights_of_a_regression_are_refused():
    data = table(40).assign(kind=np.linspace(0.5, 3, 40))
    with pytest.raises(ValueError, match="needs classes, and this is a regression task: leave it out"):
        headstart.fit(data, **TABLE, class_weight="balanced")
