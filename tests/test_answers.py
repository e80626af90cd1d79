"""Answers as lines, records and CSV."""

from __future__ import annotations

import numpy as np

from headstart.answers import Answers
from headstart.data.task import SetAside

ASIDE = (SetAside("bad.png", "the file is empty (0 bytes)"),)


def test_classes_are_named_with_their_chance(tmp_path):
    values = np.array([[0.9, 0.1], [0.25, 0.75]])
    said = Answers(kind="classification", names=["x", "y"], values=values, classes=("a", "b"), set_aside=ASIDE)
    assert str(said) == "x  a  0.90\ny  b  0.75\nset aside: bad.png: the file is empty (0 bytes)"
    assert said.to_json()["predictions"][1] == {"name": "y", "prediction": "b", "probabilities": {"a": 0.25, "b": 0.75}}
    said.write_csv(tmp_path / "said.csv")
    assert (tmp_path / "said.csv").read_text("utf-8").splitlines()[:2] == ["name,prediction,p(a),p(b)", "x,a,0.9,0.1"]


def test_several_labels_or_none_may_hold():
    said = Answers(kind="multilabel", names=["x", "y"], values=np.array([[0.9, 0.6], [0.1, 0.2]]), classes=("a", "b"))
    assert [row["prediction"] for row in said.rows()] == [["a", "b"], []]
    assert str(said) == "x  a 0.90, b 0.60\ny  none"


def test_values_are_numbers():
    said = Answers(kind="regression", names=["x"], values=np.array([1.25]))
    assert said.rows() == [{"name": "x", "prediction": 1.25}]
    assert len(said) == 1
