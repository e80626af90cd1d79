"""A fit within a budget, on real data: what is tried, what the evidence says, what is refused in words."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_wine

import headstart
from headstart import Evidence, Roles
from headstart.automl.race.fit import fit_within
from headstart.automl.race.look import look_at
from headstart.errors import BackboneError, DataError, RaceError


def wine(rows=None):
    frame = load_wine(as_frame=True).frame.rename(columns={"target": "label"})
    frame["label"] = frame["label"].map({0: "a", 1: "b", 2: "c"})
    return frame if rows is None else frame.sample(rows, random_state=0)


@pytest.fixture(scope="module")
def raced(tmp_path_factory):
    """Wine, raced until nothing is left, and the folder of its trials."""
    folder = tmp_path_factory.mktemp("wine")
    return fit_within(wine(), budget="1h", methods=["kernel"], folder=folder), folder


def test_every_setting_is_tried_and_told(raced):
    fitted, folder = raced
    race = fitted.evidence_.facts.race
    assert {trial.name for trial in race.trials} == {"probe", "kernel"}
    assert {trial.folds for trial in race.trials} == {4}
    assert race.ended == "every setting was tried"
    assert "More time would bring nothing" in race.outlook
    assert race.spent < race.budget == 3600.0
    assert {row.name for row in look_at(str(folder)).rows} == {"probe", "kernel"}


def test_the_evidence_is_of_rows_that_were_kept_for_it(raced):
    evidence = raced[0].evidence_
    assert evidence.n_train + evidence.n_test == len(wine())
    assert evidence.n_test == pytest.approx(len(wine()) / 4, abs=3)
    assert "opened once" in evidence.protocol
    assert evidence.metrics["accuracy"].value > 0.9
    assert {"majority", "no-transfer"} <= set(evidence.baselines)


def test_the_page_and_the_record_tell_of_the_race(raced):
    evidence = raced[0].evidence_
    page = str(evidence)
    assert "the race: 2 settings" in page
    assert max(map(len, page.splitlines())) <= 80
    again = Evidence.from_json(json.loads(json.dumps(evidence.to_json())))
    assert again.facts.race == evidence.facts.race
    assert str(again) == page


def test_a_second_run_takes_what_the_first_has_tried(raced):
    fitted, folder = raced
    again = fit_within(wine(), budget="1h", methods=["kernel"], folder=folder)
    losses = [{t.name: t.loss for t in model.evidence_.facts.race.trials} for model in (fitted, again)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
    assert any("2 of the settings were tried by earlier runs" in note for note in again.evidence_.notes)


def test_labels_of_the_test_rows_are_not_looked_at(tmp_path):
    frame = wine()
    frame["split"] = np.where(np.arange(len(frame)) % 4 == 0, "test", "train")
    other = frame.copy()
    test = other["split"] == "test"
    other.loc[test, "label"] = np.random.default_rng(0).permutation(other.loc[test, "label"])
    raced = [fit_within(some, budget="1h", methods=["kernel"]).evidence_ for some in (frame, other)]
    trials = [{t.name: (t.loss, t.options) for t in each.facts.race.trials} for each in raced]
    assert trials[0] == trials[1]
    assert raced[0].facts.race.winner == raced[1].facts.race.winner
    assert raced[0].metrics["accuracy"].value > raced[1].metrics["accuracy"].value + 0.3
    assert raced[0].protocol == "the test split that came with the data"


def test_values_are_raced_too():
    frame = load_diabetes(as_frame=True).frame
    fitted = fit_within(frame, budget="1h", methods=[], roles=Roles(target="target"))
    evidence = fitted.evidence_
    assert evidence.facts.race.ended == "every setting was tried"
    assert evidence.metrics["r2"].value > 0.3
    assert evidence.n_test >= 100


def test_a_goal_is_raced_for():
    fitted = fit_within(wine(), budget="1h", methods=[], goal="f1:b")
    assert fitted.evidence_.headline == "f1"
    assert fitted.evidence_.metrics["f1"].value > 0.85


def test_too_small_a_budget_takes_fewer_rows_and_says_what_all_would_take():
    frame = pd.concat([wine()] * 6, ignore_index=True)
    rng = np.random.default_rng(0)
    numbers = frame.columns.drop("label")
    frame[numbers] += rng.normal(scale=1e-3, size=(len(frame), len(numbers)))
    fitted = fit_within(frame, budget=18, methods=[], clock=lambda: 0.0)
    evidence = fitted.evidence_
    assert evidence.n_train + evidence.n_test == 160  # (18 / 2 - 5) / .025
    assert any(
        "too small for one pass over all 1,068 rows: 160 of them are used. With --budget" in note
        for note in evidence.notes
    )


def test_a_smaller_budget_goes_on_with_the_rows_of_before(tmp_path):
    """Where reading them can be paid for: nothing is tried anew, and no trial is set aside."""
    frame = wine()
    first = fit_within(frame, budget="1h", methods=[], folder=tmp_path)
    again = fit_within(frame, budget=8, methods=[], folder=tmp_path, clock=lambda: 0.0)
    alone = fit_within(frame, budget=8, methods=[], clock=lambda: 0.0)
    losses = [{trial.name: trial.loss for trial in made.evidence_.facts.race.trials} for made in (first, again)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
    assert any("1 of the settings were tried by earlier runs" in note for note in again.evidence_.notes)
    assert look_at(str(tmp_path)).set_aside == ()
    assert any("too small for one pass over all 178 rows: 60" in note for note in alone.evidence_.notes)


def test_the_rows_of_a_small_budget_are_those_of_the_next_until_twice_as_many_can_be_paid_for(tmp_path):
    def rows_with(budget):
        made = fit_within(wine(), budget=budget, methods=[], folder=tmp_path, clock=lambda: 0.0)
        race = made.evidence_.facts.race
        again = any("were tried by earlier runs" in note for note in made.evidence_.notes)
        return made.evidence_.n_train + made.evidence_.n_test, again, len(race.trials)

    assert rows_with(14) == (80, False, 1)  # (14 / 2 - 5) / .025
    assert rows_with(15) == (80, True, 1)
    assert rows_with(3600) == (178, False, 1)
    assert look_at(str(tmp_path)).set_aside == ("trials.sqlite.other-1",)


@pytest.mark.parametrize("budget", ["10 bananas", 0, -3, "0m"])
def test_a_budget_that_is_none_is_refused_before_any_work(budget):
    with pytest.raises(ValueError, match="expected a time such as 90s, 10m, 1h30m"):
        headstart.fit("no such folder", budget=budget)


def test_what_has_no_use_beside_a_budget_is_refused():
    for options in ({"options": {"lr": 1e-3}}, {"keep_tuned": True}, {"source": wine()}, {"blocks": True}):
        with pytest.raises(ValueError, match="has no use with a budget"):
            headstart.fit(wine(), budget="1m", **options)
    with pytest.raises(ValueError, match="race_folder is of a race: give a budget too"):
        headstart.fit(wine(), race_folder="trials")
    with pytest.raises(ValueError, match="both name what is raced"):
        headstart.fit(wine(), budget="1m", backbone="bundled:minilm", candidates=["bundled:minilm"])
    with pytest.raises(ValueError, match="method 'coral' is not raced; expected some of"):
        headstart.fit(wine(), budget="1m", method="coral")


def test_one_class_is_refused():
    frame = wine()
    with pytest.raises(DataError, match="class"):
        fit_within(frame[frame["label"] == "a"], budget="1m")


def test_candidates_that_are_not_here():
    texts = pd.DataFrame({"text": [f"a {word}" for word in "bcdefghi"] * 4, "label": list("xy") * 16})
    with pytest.raises(BackboneError, match=r"none of the candidates can be used. hf:no/such"):
        headstart.fit(texts, budget="1m", candidates=["hf:no/such"])


def test_where_nothing_can_be_fitted_there_is_no_model(monkeypatch):
    def refuse(self, rows):
        raise ValueError("does not suit")

    monkeypatch.setattr("headstart.study.candidates.TaskCandidate.fit", refuse)
    with pytest.raises(RaceError, match=r"not one candidate could be fitted \(.*does not suit"):
        fit_within(wine(), budget="1h", methods=["kernel"])
