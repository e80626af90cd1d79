"""Answers as lines, records and CSV."""

from __future__ import annotations

import csv
import json
import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.study.predictions import Answers
from headstart.tasks.task import SetAside

ASIDE = (
    SetAside("line 5", "the text is missing", 3),
    SetAside("notes.pdf", "not a picture, by its suffix"),
    SetAside("bad.png", "the file is empty (0 bytes)", 1),
)
TWO = np.array([[0.9, 0.1], [0.25, 0.75]])
SUFFIXES = ("csv", "tsv", "jsonl", "json", "parquet")


def answers(**changed):
    given = {"kind": "classification", "names": ["x", "y"], "values": TWO, "classes": ("a", "b")}
    return Answers(**given | {"places": np.array([0, 2]), "set_aside": ASIDE} | changed)


def test_each_input_has_one_row_in_its_order():
    rows = answers().rows()
    assert [row["name"] for row in rows] == ["x", "bad.png", "y", "line 5"]
    assert rows[2] == {"name": "y", "prediction": "b", "probabilities": {"a": 0.25, "b": 0.75}, "reason": None}
    assert rows[1] == {
        "name": "bad.png", "prediction": None, "probabilities": None, "reason": "the file is empty (0 bytes)",
    }  # fmt: skip
    assert (len(answers()), answers().values.shape) == (4, (2, 2))
    assert answers().summary == "4 rows, 2 of them without an answer"


def test_answers_in_words():
    assert str(answers()) == (
        "x        a  0.90\nbad.png  no answer: the file is empty (0 bytes)\ny        b  0.75\n"
        "line 5   no answer: the text is missing\nset aside: notes.pdf: not a picture, by its suffix"
    )


def test_everything_as_json():
    document = json.loads(json.dumps(answers().to_json()))
    assert document["predictions"] == answers().rows()
    assert document["set_aside"][1] == {"name": "notes.pdf", "why": "not a picture, by its suffix", "place": None}


def test_several_labels_or_none_may_hold():
    several = answers(kind="multilabel", values=np.array([[0.9, 0.6], [0.1, 0.2]]), places=None, set_aside=())
    assert [row["prediction"] for row in several.rows()] == [["a", "b"], []]
    assert str(several) == "x  a 0.90, b 0.60\ny  none"


def test_values_are_numbers():
    values = Answers(kind="regression", names=["x"], values=np.array([1.25]), set_aside=ASIDE[-1:])
    assert values.rows() == [
        {"name": "x", "prediction": 1.25, "reason": None},
        {"name": "bad.png", "prediction": None, "reason": "the file is empty (0 bytes)"},
    ]
    assert str(values) == "x        1.25\nbad.png  no answer: the file is empty (0 bytes)"


def test_a_file_of_each_format_holds_the_same(tmp_path):
    for suffix in SUFFIXES:
        answers().write(tmp_path / f"p.{suffix}")
    assert (tmp_path / "p.csv").read_bytes().decode().split("\r\n") == [
        "name,prediction,p(a),p(b),reason",
        "x,a,0.9,0.1,",
        "bad.png,,,,the file is empty (0 bytes)",
        "y,b,0.25,0.75,",
        "line 5,,,,the text is missing",
        "",
    ]
    table = pd.read_csv(tmp_path / "p.csv")
    pd.testing.assert_frame_equal(table, pd.read_csv(tmp_path / "p.tsv", sep="\t"))
    parquet = pd.read_parquet(tmp_path / "p.parquet")
    pd.testing.assert_frame_equal(table, parquet.fillna(np.nan), check_dtype=False)
    lines = (tmp_path / "p.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == answers().rows()
    assert json.loads((tmp_path / "p.json").read_text("utf-8")) == answers().to_json()
    assert sorted(os.listdir(tmp_path)) == sorted(f"p.{suffix}" for suffix in SUFFIXES)
    answers().write_csv(tmp_path / "named otherwise")
    assert (tmp_path / "named otherwise").read_bytes() == (tmp_path / "p.csv").read_bytes()


@given(st.lists(st.text(min_size=1, max_size=6), min_size=2, max_size=4, unique=True), st.sampled_from(SUFFIXES))
def test_any_label_and_name_comes_back(tmp_path_factory, labels, suffix):
    path = tmp_path_factory.mktemp("labels") / f"p.{suffix}"
    values = np.eye(len(labels))
    answers(names=labels, values=values, classes=tuple(labels), places=None, set_aside=()).write(path)
    if suffix in ("csv", "tsv"):
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file, delimiter=",\t"[suffix == "tsv"])
        assert header == ["name", "prediction", *(f"p({label})" for label in labels), "reason"]
        found = [row[:2] for row in rows]
    elif suffix == "parquet":
        found = pd.read_parquet(path)[["name", "prediction"]].to_numpy().tolist()
    else:
        text = path.read_text("utf-8")
        rows = json.loads(text)["predictions"] if suffix == "json" else map(json.loads, text.split("\n")[:-1])
        found = [[row["name"], row["prediction"]] for row in rows]
    assert found == [[label, label] for label in labels]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_half_a_character_is_written_by_its_number(tmp_path, suffix):
    answers(classes=("a", "b\udcff")).write(path := tmp_path / f"p.{suffix}")
    text = str(pd.read_parquet(path)["prediction"].tolist()) if suffix == "parquet" else path.read_text("utf-8")
    assert "udcff" in text
