"""Duplicates: exact and near, with the same label and with another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine

from headstart.data.content import content_keys
from headstart.data.quality.duplicates import duplicate_findings, near_pairs, near_rows
from headstart.data.quality.inspection import Inspection
from headstart.data.read import read
from headstart.tasks.task import Task

SHORT = ["a fine film", "A fine film!", "a dull film", "a dull film", "a dull film", "words", "more words"]


def texts(labels: list[int], inputs: list[str] = SHORT, **more: Any) -> Inspection:
    task = Task(
        inputs=inputs, targets=np.array(labels), kind="classification", modality="text", classes=("bad", "good"),
        names=[f"line {i}" for i in range(len(inputs))], **more,
    )  # fmt: skip
    keys = content_keys(inputs, "text")
    return Inspection(task, keys, near_pairs(task, keys))


def test_copies_with_one_label_are_kept_together() -> None:
    inspection = texts([1, 1, 0, 0, 0, 1, 0])
    exact, near = duplicate_findings(inspection)
    assert (exact.what, exact.count, exact.examples) == ("rows that exactly repeat another", 2, ("line 2 = line 3",))
    assert (near.what, near.count, near.examples) == ("near duplicates", 2, ("line 0 = line 1",))
    assert exact.severity == near.severity == "note"
    assert not inspection.dropped


def test_of_copies_with_different_labels_the_outvoted_go() -> None:
    inspection = texts([1, 0, 0, 0, 1, 1, 0])
    _, conflict, near = duplicate_findings(inspection)
    assert (conflict.what, conflict.count) == ("rows whose exact copies have another label", 3)
    assert conflict.examples == ("line 2 (bad) = line 4 (good)",)
    assert inspection.dropped == {4: "an exact copy has another label"}
    assert (near.what, near.severity) == ("near duplicates with different labels", "warning")
    assert near.examples == ("line 0 (good) = line 1 (bad)",)


def test_without_a_majority_all_go_but_never_a_given_test_row() -> None:
    inputs = ["same", "same", "other", "more"]
    tied = texts([0, 1, 0, 1], inputs)
    list(duplicate_findings(tied))
    assert sorted(tied.dropped) == [0, 1]
    given = texts([0, 1, 0, 1], inputs, split=np.array(["train", "test", "train", "test"]))
    list(duplicate_findings(given))
    assert sorted(given.dropped) == [0]


def test_rows_of_a_table_may_differ_in_their_targets(penguins) -> None:
    frame = pd.read_csv(penguins)[["species", "island", "sex"]]
    task = read(frame)
    keys = content_keys(task.inputs, "table")
    inspection = Inspection(task, keys, near_pairs(task, keys))
    conflict = next(f for f in duplicate_findings(inspection) if "another target" in f.what)
    assert conflict.count > 100
    assert "no model can get all of them right" in conflict.action
    assert not inspection.dropped


def test_multilabel_and_unlabelled_rows() -> None:
    targets = np.array([[1, 0], [1, 1], [0, 0], [0, 1]], np.uint8)
    task = Task(inputs=["x", "x", "y", "z"], targets=targets, kind="multilabel", modality="text", classes=("a", "b"))
    inspection = Inspection(task, content_keys(task.inputs, "text"), np.zeros((0, 2), int))
    conflict = list(duplicate_findings(inspection))[1]
    assert conflict.examples == ("row 0 (a) = row 1 (a, b)",)
    bare = Task(inputs=["x", "x"], targets=None, kind="classification", modality="text")
    assert (
        len(list(duplicate_findings(Inspection(bare, content_keys(bare.inputs, "text"), np.zeros((0, 2), int))))) == 1
    )


def test_rows_are_near_to_six_digits() -> None:
    rows = load_wine().data[:50]
    plain = near_rows(rows).tolist()
    again = near_rows(np.concatenate([rows, rows[:3] * (1 + 1e-9), rows[3:4] * 1.001])).tolist()
    assert plain == []
    assert again == [[0, 50], [1, 51], [2, 52]]
    frame = pd.DataFrame([[1, 0.1, "a"], [1, 0.1000000001, "a"], [1, 0.1, "b"], [2, 0.1, "a"]], columns=["x", "y", "y"])
    assert near_rows(frame).tolist() == [[0, 1]]
    assert near_rows(np.array([[1234567.0], [1234568.0], [np.nan], [np.inf], [0.0], [np.nan]])).tolist() == [[2, 5]]
    assert near_rows(np.zeros((0, 3))).shape == (0, 2)


@pytest.mark.parametrize(("modality", "inputs"), [("array", np.eye(3)), ("table", pd.DataFrame({"x": [1.5, 1.5, 2]}))])
def test_exact_copies_are_no_near_pairs(modality: Any, inputs: Any) -> None:
    task = Task(inputs=inputs, targets=None, kind="regression", modality=modality)
    assert near_pairs(task, content_keys(inputs, modality)).shape == (0, 2)


def test_pictures_without_thumbnails_have_no_near_pairs() -> None:
    task = Task(inputs=["a.png", "b.png"], targets=None, kind="classification", modality="image")
    thumbs = np.zeros((2, 32, 32, 3), np.uint8)
    assert near_pairs(task, [b"a", b"b"]).shape == (0, 2)
    assert near_pairs(task, [b"a", b"b"], thumbs).tolist() == [[0, 1]]
    assert near_pairs(task, [b"a", b"a"], thumbs).shape == (0, 2)
