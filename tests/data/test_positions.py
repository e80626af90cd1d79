"""Every row that was read is in the task or set aside, at its position in the input: over containers and faults."""

from __future__ import annotations

import json

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from headstart.data import delimited, jsonl
from headstart.data.read import read
from headstart.data.roles import Roles

ROWS = st.lists(st.sampled_from(["whole", "ragged", "unlabelled"]), min_size=3, max_size=12)
ROLES = Roles(input=("text",), target="label", modality="text")


def labels(rows):
    """Two classes at least, so that there is a task."""
    return ["ab"[row % 2] if row < 2 else None if kind == "unlabelled" else "b" for row, kind in enumerate(rows)]


def kinds(rows):
    return ["whole", "whole", *rows]


def check(task, rows, lost):
    there = [row for row in range(len(rows)) if row not in lost]
    assert task.places.tolist() == there
    assert sorted(item.place for item in task.set_aside) == lost
    assert task.n_read == len(rows)
    assert task.inputs == [f"words of row {row}" for row in there]


@given(ROWS)
def test_rows_of_a_csv(tmp_path_factory, rows):
    rows = kinds(rows)
    lines = [
        f"words of row {row}" + ("" if kind == "ragged" else f",{label or ''}")
        for row, (kind, label) in enumerate(zip(rows, labels(rows), strict=True))
    ]
    path = tmp_path_factory.mktemp("csv") / "rows.csv"
    path.write_text("text,label\n" + "\n".join(lines) + "\n", encoding="utf-8")
    check(read(path, roles=ROLES), rows, [row for row, kind in enumerate(rows) if kind != "whole"])


@given(ROWS)
def test_rows_of_json_lines(tmp_path_factory, rows):
    rows = kinds(rows)
    lines = [
        "{" if kind == "ragged" else json.dumps({"text": f"words of row {row}", "label": label})
        for row, (kind, label) in enumerate(zip(rows, labels(rows), strict=True))
    ]
    path = tmp_path_factory.mktemp("jsonl") / "rows.jsonl"
    path.write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    check(read(path, roles=ROLES), rows, [row for row, kind in enumerate(rows) if kind != "whole"])


@given(ROWS)
def test_rows_of_a_frame(rows):
    rows = kinds(rows)
    frame = pd.DataFrame({"text": [f"words of row {row}" for row in range(len(rows))], "label": labels(rows)})
    check(read(frame, roles=ROLES), rows, [row for row, kind in enumerate(rows) if row > 1 and kind == "unlabelled"])


@given(st.binary(max_size=60))
def test_positions_of_any_bytes_are_all_there(data):
    for parse, head in ((delimited.parse, b"a,b\n1,2\n"), (jsonl.parse, b'{"a": 1}\n')):
        try:
            parsed = parse(head + data)
        except ValueError:
            continue
        places = [*parsed.places, *(item.place for item in parsed.set_aside)]
        assert sorted(places) == list(range(len(places)))
        assert parsed.places == sorted(parsed.places)
