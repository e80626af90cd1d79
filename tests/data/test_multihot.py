"""Rows of 0 and 1 are multi-hot; lists of labels stay lists of labels."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from headstart.data.arrays import as_task
from headstart.data.join import join
from headstart.data.multihot import from_multihot
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.errors import DataError

ROWS = [[0, 0, 1], [1, 0, 1], [0, 1, 0], [0, 0, 0]]
TEXTS = [f"a text of some words number {row}" for row in range(4)]

FORMS = {
    "ints": ROWS,
    "floats": [[float(cell) for cell in row] for row in ROWS],
    "bools": [[bool(cell) for cell in row] for row in ROWS],
    "tuples": [tuple(row) for row in ROWS],
    "arrays": [np.array(row) for row in ROWS],
    "tensors": [torch.tensor(row) for row in ROWS],
    "Series": pd.Series(ROWS),
    "Series of arrays": pd.Series([np.array(row, float) for row in ROWS]),
    "matrix": np.array(ROWS),
    "matrix of bool": np.array(ROWS, bool),
    "matrix of float": np.array(ROWS, np.float32),
    "tensor": torch.tensor(ROWS),
    "pyarrow": pa.array(ROWS),
}


@pytest.mark.parametrize("form", FORMS)
def test_rows_of_zeros_and_ones_are_multihot(form):
    task = as_task(TEXTS, FORMS[form])
    assert (task.kind, task.classes, task.targets.tolist()) == ("multilabel", (0, 1, 2), ROWS)
    assert any(note.startswith("target: rows of 0 and 1 are multi-hot, 3 labels called 0 to 2") for note in task.notes)


@pytest.mark.parametrize("form", ["ints", "floats", "bools"])
def test_they_are_in_files_and_have_names(form, tmp_path):
    frame = pd.DataFrame({"text": TEXTS, "labels": [json.dumps(row) for row in FORMS[form]]})
    frame.to_csv(csv := tmp_path / "data.csv", index=False)
    lines = [json.dumps({"text": text, "labels": row}) for text, row in zip(TEXTS, FORMS[form], strict=True)]
    (jsonl := tmp_path / "data.jsonl").write_text("\n".join(lines))
    pd.DataFrame({"text": TEXTS, "labels": FORMS[form]}).to_parquet(parquet := tmp_path / "data.parquet")
    for path in (csv, jsonl, parquet):
        task = read(path, roles=Roles(classes=("sport", "art", "money")))
        assert (task.classes, task.targets.tolist()) == (("sport", "art", "money"), ROWS)
        assert task.columns.classes == task.classes
        assert "target: rows of 0 and 1 are multi-hot, 3 labels called 'sport', 'art', 'money'" in task.notes


def test_a_table_of_targets_names_its_classes():
    for table in (pd.DataFrame(ROWS, columns=list("cab")), pd.DataFrame(ROWS, columns=list("cab"), dtype=bool)):
        task = as_task(TEXTS, table)
        assert (task.classes, task.targets.tolist()) == (("c", "a", "b"), ROWS)


def test_a_class_that_no_row_has_keeps_its_place():
    task = as_task(TEXTS[:2], [[1, 0, 0], [0, 0, 1]])
    assert (task.classes, task.targets.tolist()) == ((0, 1, 2), [[1, 0, 0], [0, 0, 1]])


def test_a_row_without_a_target_is_set_aside():
    for missing in (None, [1, None, 0], float("nan")):
        task = as_task(TEXTS, [[1, 0, 0], missing, [0, 0, 1], [0, 1, 1]])
        assert task.targets.tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 1]]
        assert [aside.name for aside in task.set_aside] == ["row 1"]


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([[0, 2], [1, 2], [0, 1]], (0, 1, 2)),
        ([[0], [1], [0]], (0, 1)),
        ([[0], [1], [0, 1]], (0, 1)),
        ([[], [1], [0]], (0, 1)),
        ([["0", "1"], ["1", "0"], ["0", "0"]], ("0", "1")),
        ([["a", "b"], ["b", "a"], ["a", "c"]], ("a", "b", "c")),
    ],
)
def test_lists_of_labels_stay_lists_of_labels(labels, classes):
    task = as_task(TEXTS[:3], labels)
    assert task.classes == classes
    assert [{classes[i] for i in np.flatnonzero(row)} for row in task.targets] == [set(row) for row in labels]


def test_lists_of_words_may_be_evaluated_by_a_model_of_multihot_rows():
    assert from_multihot([["a"], ["c", "a"]], ("a", "b", "c")).classes == ("a", "b", "c")
    labelled = from_multihot([["a"], ["z"]], ("a", "b", "c"))
    assert labelled == ([["a"], ["z"]], (), "target: labels that classes does not name: 'z'")


def test_a_test_table_is_read_with_the_names_of_the_training_table():
    train = pd.DataFrame({"text": TEXTS, "labels": ROWS})
    task = read(train, roles=Roles(classes=("x", "y", "z")))
    both = join(task, read(train[:1], kind=task.kind, columns=task.columns))
    assert both.targets.tolist() == [*ROWS, ROWS[0]]


@pytest.mark.parametrize(
    ("labels", "names", "words"),
    [
        (ROWS, ("a", "b"), "classes names 2 labels, 'a', 'b', and each row of the target has 3 places"),
        (ROWS, ("a", "b", "a"), "classes names a label twice: 'a', 'b', 'a'"),
        ([[0, 2], [1]], ("a", "b"), r"classes \('a', 'b'\) name the places of rows of 0 and 1, but the target holds"),
        (["x", "y"], ("a", "b"), "but the target holds 'x', 'y'"),
        ([[0, 1], [1]], ("a", "b"), "rows of 0 and 1 have 1, 2 places: expected one length"),
        (
            [[0, 0, 1], [1, 0]],
            (),
            r"rows of 0 and 1 have 2, 3 places: expected one length \(multi-hot\), or lists that",
        ),
    ],
)
def test_names_and_lengths_that_do_not_fit(labels, names, words):
    with pytest.raises(DataError, match=words):
        from_multihot(labels, names)


@given(st.integers(2, 6).flatmap(lambda n: st.lists(st.lists(st.integers(0, 1), min_size=n, max_size=n), min_size=1)))
def test_what_is_written_as_multihot_comes_back(rows):
    labelled = from_multihot(rows)
    assert [[int(label in row) for label in labelled.classes] for row in labelled.values] == rows


@given(st.lists(st.sets(st.integers(0, 5)), min_size=1))
def test_sets_of_labels_are_never_taken_for_multihot_unless_all_rows_say_the_same(sets):
    rows = [sorted(labels) for labels in sets]
    labelled = from_multihot(rows)
    assert labelled.values == rows or all(labels == {0, 1} for labels in sets)
