"""Several targets at once, from the command line and in Python, on tables that the tests write."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import headstart as hs

COLUMNS = ["a", "b", "c"]


def houses(rows=48, seed=0):
    """A number and a class that depend on the same direction of three columns; some answers are missing."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 3))
    value = X @ [2.0, -1.0, 0.5]
    table = pd.DataFrame(X, columns=COLUMNS)
    table["price"] = value + rng.normal(size=rows) / 4
    table["rating"] = np.where(value + rng.normal(size=rows) / 4 > 0, "good", "poor")
    table.loc[table.index[::9], "price"] = np.nan
    table.loc[table.index[4::11], "rating"] = None
    return table.assign(split=np.where(np.arange(rows) % 3, "train", "test"))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The folder of a model of both targets, and what was printed as JSON."""
    folder = tmp_path_factory.mktemp("several")
    houses().to_csv(folder / "houses.csv", index=False)
    fitted = hs.fit_tasks(str(folder / "houses.csv"), ("price", "rating"))
    fitted.save(folder / "model")
    return folder


def test_the_command_line_learns_answers_and_measures_a_column_a_target(run, saved, tmp_path):
    asked = ("--target", "price, rating", "--out", tmp_path / "m", "--report", "--no-provenance", "--json")
    fitted = run("fit", saved / "houses.csv", *asked)
    assert fitted.code == 0, fitted.err
    page = Path(fitted.json["report"]).read_text("utf-8")
    assert page.count("--no-provenance") == 3
    assert str(saved) not in page
    document = fitted.json
    assert list(document["tasks"]) == ["price", "rating"]
    assert (document["tasks"]["price"]["kind"], document["tasks"]["rating"]["kind"]) == ("regression", "classification")
    assert document["tasks"]["price"]["metrics"]["r2"]["value"] > 0.8
    assert set(document["tasks"]["rating"]["baselines"]) == {"majority", "no-transfer", "probe", "alone"}
    assert document["overall"]["verdict"] in ("helps", "hurts", "cannot tell")
    houses(6, seed=1).drop(columns=["price", "rating", "split"]).to_csv(tmp_path / "new.csv", index=False)
    answered = run("predict", tmp_path / "m", tmp_path / "new.csv", "--out", tmp_path / "answers.csv")
    assert answered.code == 0, answered.err
    table = pd.read_csv(tmp_path / "answers.csv")
    assert list(table) == ["name", "price", "rating", "p(rating=good)", "p(rating=poor)", "reason"]
    assert len(table) == 6
    assert set(table["rating"]) <= {"good", "poor"}
    measured = run("evaluate", tmp_path / "m", saved / "houses.csv", "--json").json
    assert measured["tasks"]["rating"]["metrics"]["accuracy"]["value"] > 0.8
    shown = run("show", tmp_path / "m")
    assert "2 targets by auto: gain over each alone, in the mean" in shown.out
    assert max(map(len, shown.out.splitlines())) < 80
    assert "headstart predict m" in (tmp_path / "m" / "README.md").read_text("utf-8")
    again = run("fit", saved / "houses.csv", "--target", "price,rating", "--out", tmp_path / "m", "--json")
    assert (again.code, "there is a model at" in again.err) == (5, True)


def test_the_same_seed_gives_the_same_model_which_comes_back_from_its_file(saved):
    loaded = hs.MultiTask.load(saved / "model")
    table = houses(10, seed=2)[COLUMNS]
    again = hs.fit_tasks(houses(), ("price", "rating"))
    for one in (again, copy.deepcopy(loaded)):
        pd.testing.assert_frame_equal(loaded.predict(table), one.predict(table))
        np.testing.assert_array_equal(loaded.predict_proba(table)["rating"], one.predict_proba(table)["rating"])
    assert loaded.evidence_.sharing == again.evidence_.sharing
    assert str(loaded.evidence_) == str(again.evidence_)


def test_answers_that_are_missing_are_counted_and_the_others_learnt_from(saved):
    said = hs.MultiTask.load(saved / "model").evidence_
    assert any("target 'price': 6 of 48 answers are missing" in note for note in said.notes)
    table = houses()
    for name in ("price", "rating"):
        learnt = table[(table["split"] == "train") & table[name].notna()]
        assert said.tasks[name].n_train == len(learnt)


def test_the_estimator_learns_from_a_table_of_answers():
    table = houses()
    model = hs.MultiTask().fit(table[COLUMNS], table[["price", "rating"]])
    assert model.targets_ == ("price", "rating")
    assert model.score(table[COLUMNS], table[["price", "rating"]]) > 0.8
    assert set(model.scores(table[COLUMNS], table[["price", "rating"]])) == {"price", "rating"}
    floors = hs.MultiTask(kind="regression,classification").fit(
        table[COLUMNS], {"a": [1, 2] * 24, "b": [1.0, 2.0] * 24}
    )
    assert [str(one.kind) for one in floors.models_.values()] == ["regression", "classification"]
    assert floors.scores(table[COLUMNS], {"a": [1, 2] * 24, "b": [1.0, 2.0] * 24})["b"] > 0.3
    with pytest.raises(AttributeError, match=r"no evidence: headstart\.fit_tasks holds rows out"):
        _ = model.evidence_
    with pytest.raises(hs.DataError, match="there are no answers to 'rating': give a table with the columns"):
        model.scores(table[COLUMNS], table[["price"]])


def test_what_is_not_several_targets_is_one(tmp_path, run):
    """A column whose name holds a comma is one target, as it ever was."""
    table = houses().drop(columns="price").rename(columns={"rating": "rating, in words"}).dropna()
    table.to_csv(tmp_path / "one.csv", index=False)
    fitted = run("fit", tmp_path / "one.csv", "--target", "rating, in words", "--out", tmp_path / "m", "--json")
    assert fitted.code == 0, fitted.err
    assert fitted.json["kind"] == "classification"


@pytest.mark.parametrize(
    ("change", "targets", "why"),
    [
        ({}, ("price", "price"), "target 'price' is named twice: name each once"),
        ({}, ("price", "ratng"), "no column 'ratng', named as a target: .* Did you mean 'rating'"),
        ({"rating": None}, ("price", "rating"), "target 'rating' has no answer in any of the 48 rows: leave it out"),
        ({"rating": "good"}, ("price", "rating"), "target 'rating' has only one class, 'good', in all its 48 rows"),
    ],
)
def test_targets_that_cannot_be_learnt_are_refused(change, targets, why):
    with pytest.raises(hs.DataError, match=why):
        hs.fit_tasks(houses().assign(**change), targets)


def test_a_target_has_no_other_role():
    with pytest.raises(hs.DataError, match="column 'rating' cannot be a target and the group at once"):
        hs.fit_tasks(houses(), ("price", "rating"), roles=hs.Roles(group="rating"))
    with pytest.raises(hs.DataError, match="column 'rating' cannot be a target and an input at once"):
        hs.fit_tasks(houses(), ("price", "rating"), roles=hs.Roles(input=("a", "rating")))
    with pytest.raises(hs.DataError, match="column 'split' cannot be a target and the split at once"):
        hs.fit_tasks(houses(), ("price", "split"), roles=hs.Roles(split="split"))


def test_options_for_one_target_are_refused(run, saved, tmp_path):
    words = ("fit", saved / "houses.csv", "--target", "price,rating", "--out", tmp_path / "m")
    refused = run(*words, "--source", saved / "houses.csv")
    assert (refused.code, "--source is for one target, and --target names 2: price, rating" in refused.err) == (2, True)
    refused = run(*words, "--kind", "regression,regression,regression")
    assert (refused.code, "3 kinds, regression,regression,regression, for 2 targets" in refused.err) == (3, True)
    refused = run("fit", saved, *words[2:])
    assert (refused.code, "is no table, and several targets are columns of one" in refused.err) == (3, True)
    refused = run(*words, "--method", "coral")
    assert (refused.code, "draws on a source task, which is for one target" in refused.err) == (2, True)


def test_new_data_are_measured_on_the_targets_that_they_have(saved):
    model = hs.MultiTask.load(saved / "model")
    said = hs.evaluate_tasks(model, houses(30, seed=3).dropna().drop(columns="price"))
    assert list(said.tasks) == ["rating"]
    with pytest.raises(hs.DataError, match="none of the targets 'price', 'rating' is a column of the data"):
        hs.evaluate_tasks(model, houses()[COLUMNS])
    other = houses(30, seed=3).dropna().replace({"rating": {"poor": "awful"}})
    said = hs.evaluate_tasks(model, other)
    assert any("classes that the model did not learn: 'awful'" in note for note in said.tasks["rating"].notes)


def test_a_model_of_several_targets_is_none_of_one(saved, tmp_path):
    with pytest.raises(hs.ArtefactError, match=r"is a model of several targets: in Python load it with headstart\.M"):
        hs.Transfer.load(saved / "model")
    hs.Transfer(method="ridge", kind="regression").fit(np.eye(4), [1.0, 2.0, 3.0, 4.0]).save(tmp_path / "one")
    with pytest.raises(hs.ArtefactError, match=r"is no model of several targets: its config\.json lacks"):
        hs.MultiTask.load(tmp_path / "one")
    config = json.loads((saved / "model" / "config.json").read_text("utf-8"))
    assert [entry["target"] for entry in config["models"]] == ["price", "rating"]


def test_answers_that_do_not_fit_the_inputs_are_refused():
    table = houses()
    with pytest.raises(hs.DataError, match="48 inputs and 2 answers to 'price': expected one for each"):
        hs.MultiTask().fit(table[COLUMNS], {"price": [1.0, 2.0]})
    with pytest.raises(hs.DataError, match="there are no answers: give a table or a dictionary with a column for each"):
        hs.MultiTask().fit(table[COLUMNS], {})
    with pytest.raises(hs.DataError, match="answers in a list: give a table, or a dictionary with a column a target"):
        hs.MultiTask().fit(table[COLUMNS], [1.0] * 48)
    with pytest.raises(ValueError, match="several targets take only 'balanced'"):
        hs.MultiTask("bundled:wordllama", "pcgrad", class_weight="good").fit(
            ["a b", "c d", "e f"] * 8, {"x": ["p", "q"] * 12, "y": [1.0, 2.0] * 12}
        )
    with pytest.raises(ValueError, match="method 'joint' moves no weights and has no option 'epochs'"):
        hs.MultiTask(method="joint", options={"epochs": 3}).fit(table[COLUMNS], table[["price"]])
    with pytest.raises(ValueError, match="method 'pcgrad' moves weights, and a table has none: use 'probe'"):
        hs.MultiTask(method="pcgrad").fit(table[COLUMNS], table[["price", "rating"]])


def test_too_few_answers_to_test_on_are_named():
    table = houses()
    table.loc[table["split"] == "test", "price"] = None
    with pytest.raises(
        hs.DataError, match=r"target 'price' has .* answers, too few to learn from some and to be tested"
    ):
        hs.fit_tasks(table, ("price", "rating"))


def test_test_data_of_your_own_are_tested_on():
    train, test = houses().drop(columns="split"), houses(30, seed=5).drop(columns="split").dropna()
    test.loc[test.index[0], "rating"] = "unheard of"
    said = hs.fit_tasks(train.dropna(how="all", subset=["price", "rating"]), ("price", "rating"), test=test).evidence_
    assert [task.n_test for task in said.tasks.values()] == [len(test)] * 2
    assert said.tasks["price"].n_train == train["price"].notna().sum()
    assert said.tasks["rating"].metrics["accuracy"].value < 1
    assert said.tasks["price"].protocol == "the test split that came with the data"


def test_heads_that_share_nothing_but_features(saved):
    said = hs.fit_tasks(houses(), ("price", "rating"), method="ridge").evidence_
    assert said.overall.gain is None
    assert "nothing but the features is shared" in str(said)
    assert {task.facts.model.head["name"] for task in said.tasks.values()} == {"ridge"}


def test_a_target_that_is_worse_together_is_learnt_alone():
    """What is far from linear is lost on a joint ridge, and found by the probe's kernel."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(240, 2))
    table = pd.DataFrame(X, columns=["a", "b"]).assign(
        line=X @ [1.0, -2.0] + rng.normal(size=240) / 10,
        ring=np.square(X).sum(1) + rng.normal(size=240) / 10,
        split=np.where(np.arange(240) % 3, "train", "test"),
    )
    auto = hs.fit_tasks(table, ("line", "ring"))
    assert auto.evidence_.sharing["ring"].learnt == "probe"
    assert auto.models_["ring"].method == "probe"
    assert any("Learnt alone, by the probe" in note and "ring" in note for note in auto.evidence_.notes)
    assert auto.evidence_.tasks["ring"].metrics["r2"].value > 0.8
    kept = hs.fit_tasks(table, ("line", "ring"), method="joint")
    assert kept.models_["ring"].method == "joint"
    assert kept.evidence_.tasks["ring"].metrics["r2"].value < 0.3
