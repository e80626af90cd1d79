"""Lists of labels that a CSV file holds as text."""

import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.data.written_lists import from_text

LABELS = st.lists(st.text(max_size=8) | st.integers(-99, 99) | st.booleans(), max_size=4)


@given(st.lists(LABELS, min_size=1, max_size=6))
def test_what_python_and_json_write_is_read_again(rows):
    assert from_text([str(row) for row in rows]) == rows
    assert from_text([json.dumps(row) for row in rows]) == rows
    assert from_text([" ", None, str(rows[0])]) == [" ", None, rows[0]]


@pytest.mark.parametrize(
    "values",
    [
        ["[a, b]", "[c]"],
        ["['a', 'b']", "c"],
        ["[('a', 1)]"],
        ["[__import__('os').getcwd()]"],
        ["[" * 9000 + "]" * 9000],
        ["[[1], [2]]"],
        ["plain", "words"],
        [None, ""],
        [["a"], ["b"]],
    ],
)
def test_what_is_no_list_of_labels_stays_as_it_is(values):
    assert from_text(values) == values


def test_a_csv_and_json_lines_of_lists_are_one_task(tmp_path):
    table = pd.DataFrame({"text": [f"this is text number {row}" for row in range(12)]})
    table["labels"] = [["red", "it's"], ["red"], [], ["green", "it's"]] * 3
    table.to_csv(tmp_path / "a.csv", index=False)
    table.to_json(tmp_path / "a.jsonl", orient="records", lines=True)
    from_csv, from_json = (read(tmp_path / name, roles=Roles(target="labels")) for name in ("a.csv", "a.jsonl"))
    assert from_csv.kind == from_json.kind == "multilabel"
    assert from_csv.classes == from_json.classes == ("green", "it's", "red")
    assert from_csv.targets.tolist() == from_json.targets.tolist()
