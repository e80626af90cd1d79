"""What more labels would bring, from the command line and Python, on real sentences and tables; and what is refused."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from demo_data import sentiment_csv
from sklearn.datasets import load_iris

import headstart
from headstart import Roles
from headstart.automl.learning_curves.protocol import study_of
from headstart.data.arrays import as_task
from headstart.data.goals import goal_of
from headstart.errors import DataError
from headstart.features.extract import Extraction
from headstart.features.feature_set import look
from headstart.listener import Logged

TEXT = ("--backbone", "bundled:minilm", "--method", "ridge", "--engine", "torch", "--draws", "2")


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    return sentiment_csv(tmp_path_factory.mktemp("reviews") / "amazon.csv", train=300, test=200)


@pytest.fixture(scope="module")
def irises():
    features, labels = load_iris(return_X_y=True)
    frame = pd.DataFrame(features, columns=["a", "b", "c", "d"]).assign(kind=np.array(["x", "y", "z"])[labels])
    return frame.assign(split=["test" if row % 3 == 0 else "train" for row in range(len(frame))])


def test_words_json_and_picture_say_the_same(run, reviews, tmp_path):
    picture = tmp_path / "curve.svg"
    picture.write_text("an older picture")
    said = run("curve", reviews, "--out", picture, "--json", *TEXT)
    assert said.code == 0, said.err
    document = said.json
    assert document.keys() == {
        "method", "backbone", "metric", "lower_is_better", "protocol", "labelled", "tested", "draws", "lines",
        "meeting", "seconds",
    }  # fmt: skip
    assert (document["method"], document["draws"], document["labelled"]) == ("ridge", 2, 500)
    assert list(document["lines"]) == ["ridge", "no-transfer"]
    for line in document["lines"].values():
        assert line.keys() == {"measured", "law", "why", "begins", "foretold"}
        assert [point["rows"] for point in line["measured"]][:: len(line["measured"]) - 1] == [10, 300]
        for point in line["measured"]:
            assert 0 <= point["low"] <= point["value"] <= point["high"] <= 1
        assert (line["law"] is None) == bool(line["why"]) == (line["foretold"] == [])
        for point in line["foretold"]:
            assert point["low"] <= point["value"] <= point["high"]
            assert point["gain"]["low"] <= point["gain"]["value"] <= point["gain"]["high"]
    law, last = document["lines"]["ridge"]["law"], document["lines"]["ridge"]["measured"][-1]
    first, second = document["lines"]["ridge"]["foretold"]
    assert (first["rows"], second["rows"]) == (600, 1200)
    assert first["value"] == pytest.approx(1 - law["a"] - law["b"] * 600 ** -law["c"])
    assert first["gain"]["value"] == pytest.approx(first["value"] - last["value"])
    again = run("curve", reviews, *TEXT)
    assert again.code == 0
    assert max(map(len, again.out.splitlines())) <= 79
    words = " ".join(again.out.split())
    assert words.startswith("With 2 x the labels (600 to learn from) expect accuracy .")
    assert f"{document['meeting']['words']}." in words
    assert "300 of 500 labelled rows to learn from, 200 to test on (the test split that came with the data)" in words
    root = ElementTree.fromstring(picture.read_text("utf-8"))  # noqa: S314 (our own)
    described = root.find("{http://www.w3.org/2000/svg}desc").text
    assert " ".join(described.split()) in words


def test_the_score_with_all_rows_is_that_of_fit(reviews):
    options = {"backbone": "bundled:minilm", "method": "ridge", "engine": "torch"}
    curve = headstart.curve(reviews, sizes=[50, 100, 300], draws=2, **options)
    evidence = headstart.fit(reviews, control=False, **options).evidence_
    last = curve.lines["ridge"].measured[-1]
    assert last.rows == evidence.n_train == 300
    assert last.score.value == pytest.approx(evidence.metrics[curve.metric].value)
    without = curve.lines["no-transfer"].measured[-1].score.value
    assert without == pytest.approx(evidence.baselines["no-transfer"][curve.metric].value)
    assert curve.lines["ridge"].why == "3 sizes are too few for a power law, which takes 4"
    assert str(curve).startswith("What more labels would bring cannot be foretold: 3 sizes are too few")


@pytest.mark.slow
def test_random_weights_are_a_third_line_and_another_goal_may_be_asked_for(run, reviews, tmp_path):
    words = ("--control", "--for", "log-loss", "--sizes", "20,40,80,160", "--out", tmp_path / "three.svg")
    said = run("curve", reviews, "--json", *words, *TEXT)
    assert said.code == 0, said.err
    assert list(said.json["lines"]) == ["ridge", "no-transfer", "random-weights"]
    assert (said.json["metric"], said.json["lower_is_better"]) == ("log_loss", True)
    drawn = (tmp_path / "three.svg").read_text("utf-8")
    assert "random-weights" in drawn
    places = [float(place) for place in re.findall(r'\b(?:x|cx|x1|x2)="([\d.]+)"', drawn)]
    assert 0 <= min(places) <= max(places) <= 720


def test_a_number_is_learnt_too(irises):
    curve = headstart.curve(
        irises,
        roles=Roles(target="d", input=("a", "b", "c"), split="split"),
        method="ridge",
        draws=2,
        sizes=[12, 25, 50, 90],
    )
    assert curve.metric == "r2"
    scores = [point.score for point in curve.lines["ridge"].measured]
    assert scores[-1].value > 0.85
    assert all(score.low <= score.value <= score.high <= 1 for score in scores)


def test_in_a_cross_validation_each_draw_answers_every_row_once():
    features, labels = load_iris(return_X_y=True)
    rows = look(as_task(features, labels, kind="classification"), None, Extraction(), Logged())
    study = study_of(rows, sizes=None, draws=2, goal=goal_of(None, rows.task), seed=0)
    assert study.design.folds == 5
    assert study.design.pool == 150 - 1 or study.design.pool == len(rows)
    for trials in study.draws:
        tested = np.concatenate([trial.test for trial in trials.trials])
        assert sorted(tested.tolist()) == list(range(len(rows)))
        assert trials.repeats == 1
    assert study.sizes[-1] <= min(len(trial.train) for trials in study.draws for trial in trials.trials)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--sizes", "20,many"), 2, "--sizes 20,many: 'many' is no whole number; expected such as 20,50,100"),
        (("--sizes", "20,1000"), 2, "sizes: 1000 is no number of rows to learn from"),
        (("--sizes", "-5,20"), 2, "'-5' is no whole number"),
        (("--sizes", ""), 2, "'' is no whole number"),
        (("--sizes", "50"), 2, "fewer than two different ones"),
        (("--draws", "1"), 2, "draws=1: expected a whole number, 2 or more, such as 5"),
        (("--for", "r2"), 2, "r2 is no score of a classification task; expected one of accuracy"),
        (("--method", "lora"), 2, "method 'lora' does not stand on features alone"),
        (("--method", "coral"), 2, "method 'coral' does not stand on features alone"),
        (("--out", "curve.png"), 2, "the suffix '.png' names no format: expected .svg"),
        (("--out", "no folder/curve.svg"), 2, "there is no folder"),
        (("--target", "label,review"), 2, "a curve is of one target, and --target names 2: label, review; name one"),
    ],
)
def test_what_cannot_be_is_refused_in_words(run, reviews, words, code, message):
    kept = [word for pair in zip(TEXT[::2], TEXT[1::2], strict=True) if pair[0] not in words for word in pair]
    said = run("curve", reviews, *kept, *words)
    assert said.code == code
    assert message in " ".join(said.err.split())


def test_a_picture_is_not_written_over_the_data_nor_where_nobody_may_write(run, reviews, tmp_path):
    (tmp_path / "a.svg").mkdir()
    said = run("curve", reviews, "--out", tmp_path / "a.svg", *TEXT)
    assert said.code == 2
    assert "is a folder: name a file to write" in said.err


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (
            {"x": range(14), "y": ["a", "b"] * 7},
            "too few rows to draw a curve: 11 of 14 are there to learn from, and 20",
        ),
        ({"x": range(30), "y": ["a"] * 30}, "nothing can be told apart. Add rows of at least one other class"),
        ({"x": [i * 1.5 for i in range(30)], "y": [2.5] * 30}, "nothing can be learnt: name another target column"),
        ({"x": range(60), "y": list("abcdefghijklmnopqrst") * 3}, "and 80 are needed, twice the smallest subsample"),
    ],
)
def test_data_that_hold_no_curve_are_refused(frame, message):
    with pytest.raises(DataError) as refused:
        headstart.curve(pd.DataFrame(frame), roles=Roles(target="y"), method="ridge", cache=False)
    assert message in str(refused.value)


def test_a_score_that_the_test_rows_do_not_define_is_refused(irises):
    constant = irises.assign(d=np.where(irises["split"] == "test", 1.0, irises["d"]))
    with pytest.raises(DataError, match="r2 is not defined on most resamples of the 50 rows to test on"):
        headstart.curve(constant, roles=Roles(target="d", input=("a", "b")), method="ridge", draws=2, sizes=[20, 80])


def test_json_holds_no_numbers_that_json_does_not_have(irises):
    curve = headstart.curve(irises, roles=Roles(target="kind"), method="ridge", draws=2, sizes=[12, 25, 50, 90])
    json.dumps(curve.to_json(), allow_nan=False)
