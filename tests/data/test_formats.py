"""The same data in CSV, JSON lines, Parquet, DataFrame, Hugging Face, arrow and polars give the same task."""

import datetime
import json
import re

import datasets
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from headstart.data.arrays import as_task
from headstart.data.read import read
from headstart.data.roles import Roles

WORDS = ("red", "green", "blue", "yellow ochre", "été", "straße")


def _plain(value):
    """A cell as JSON has it."""
    return value.isoformat() if isinstance(value, datetime.date) else value


def _csv_cell(value):
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(_plain(value))


def _arrow(columns):
    return pa.table({name: pa.array(values) for name, values in columns.items()})


def _nullable(columns):
    """Columns of pandas' types that hold missing values."""
    types = {int: "Int64", float: "Float64", bool: "boolean", str: "string"}
    kinds = {name: {type(value) for value in values if value is not None} for name, values in columns.items()}
    chosen = {name: types.get(found.pop(), "object") if len(found) == 1 else "object" for name, found in kinds.items()}
    return pd.DataFrame({name: pd.Series(values, dtype=chosen[name]) for name, values in columns.items()})


def _write_csv(columns, folder):
    frame = pd.DataFrame({name: [_csv_cell(value) for value in values] for name, values in columns.items()}, dtype=str)
    frame.to_csv(path := folder / "data.csv", index=False)
    return path


def _write_jsonl(columns, folder):
    rows = [dict(zip(columns, map(_plain, row), strict=True)) for row in zip(*columns.values(), strict=True)]
    (path := folder / "data.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows))
    return path


def _write_parquet(columns, folder):
    pyarrow.parquet.write_table(_arrow(columns), path := folder / "data.parquet")
    return path


FORMATS = {
    "CSV": _write_csv,
    "JSON lines": _write_jsonl,
    "Parquet": _write_parquet,
    "DataFrame": lambda columns, _: pd.DataFrame(columns),
    "DataFrame of objects": lambda columns, _: pd.DataFrame(columns, dtype=object),
    "DataFrame of nullable types": lambda columns, _: _nullable(columns),
    "DataFrame of arrow types": lambda columns, _: _arrow(columns).to_pandas(types_mapper=pd.ArrowDtype),
    "dict": lambda columns, _: columns,
    "records": lambda columns, _: [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)],
    "arrow": lambda columns, _: _arrow(columns),
    "polars": lambda columns, _: pl.DataFrame(columns, strict=False),
    "Hugging Face": lambda columns, _: datasets.Dataset(_arrow(columns)),
}


def _task(columns, form, folder, roles=None):
    return read(FORMATS[form](columns, folder), roles=roles or Roles())


FIRST_LINE = {"CSV": 2, "JSON lines": 1}


def _facts(task, form="DataFrame"):
    """All that a task says, rows called by their number from 0."""

    def named(text):
        return re.sub(r"line (\d+)", lambda found: f"row {int(found[1]) - FIRST_LINE[form]}", text)

    inputs = task.inputs
    if isinstance(inputs, pd.DataFrame):
        cells = {name: inputs[name].astype(object).where(inputs[name].notna(), None).tolist() for name in inputs}
        inputs = {name: (str(inputs[name].dtype), cells[name]) for name in inputs}
    return {
        "modality": task.modality,
        "kind": task.kind,
        "classes": [(type(label).__name__, label) for label in task.classes],
        "targets": task.targets.tolist(),
        "roles": task.columns[:5],
        "inputs": inputs,
        "group": None if task.group is None else [named(name) for name in task.group.tolist()],
        "places": task.positions.tolist(),
        "aside": [(item.why, item.place) for item in task.set_aside],
        "notes": sorted(map(named, task.notes)),
    }


def _assert_same(columns, folder, roles=None):
    expected = _facts(_task(columns, "DataFrame", folder, roles))
    for form in FORMATS:
        found = _facts(_task(columns, form, folder, roles), form)
        for fact, value in expected.items():
            assert found[fact] == value, (form, fact)


N = 24


def _table():
    rng = np.random.default_rng(0)
    return {
        "length": [None if i == 3 else round(float(x), 3) for i, x in enumerate(rng.normal(size=N))],
        "count": [int(x) for x in rng.integers(0, 9, N)],
        "some": [None if i == 5 else int(x) for i, x in enumerate(rng.integers(0, 9, N))],
        "colour": [None if i == 7 else WORDS[i % 5] for i in range(N)],
        "new": [bool(i % 3) for i in range(N)],
        "sold": [None if i == 9 else bool(i % 2) for i in range(N)],
        "day": [datetime.date(2024, 1 + i % 12, 1 + i) for i in range(N)],
        "label": ["yes" if i % 2 else "no" for i in range(N)],
    }


@pytest.mark.parametrize("target", ["label", "length", "count", "new", "colour"])
def test_a_table_of_numbers_words_truths_dates_and_gaps(target, tmp_path):
    _assert_same(_table(), tmp_path, Roles(target=target))


def test_texts_and_labels(tmp_path):
    texts = [f"a text of some words about the {WORDS[i % 6]} thing {i}" for i in range(N)]
    texts[4] = None
    for labels in (["a", "b"] * 12, [0, 1] * 12, [True, False] * 12, [None, 1, 2] * 8):
        _assert_same({"text": texts, "label": labels}, tmp_path)


def test_short_texts(tmp_path):
    _assert_same({"title": [f"{WORDS[i % 6]} {i}" for i in range(N)], "label": ["a", "b"] * 12}, tmp_path)


@pytest.mark.parametrize("rows", [[["a"], ["b", "a"], ["c"]], [[1, 0, 1], [0, 0, 1], [0, 1, 0]], [[2], [0, 2], [1]]])
def test_lists_of_labels_and_multihot_rows(rows, tmp_path):
    texts = [f"a text of some words about thing {i}" for i in range(N)]
    _assert_same({"text": texts, "labels": rows * (N // 3)}, tmp_path)


def test_paths_of_pictures(tmp_path):
    names = []
    for i in range(4):
        Image.new("RGB", (4, 3), (i, 0, 0)).save(tmp_path / f"{i}.png")
        names.append(str(tmp_path / f"{i}.png"))
    _assert_same({"picture": [*names, str(tmp_path / "gone.png")], "label": list("ababa")}, tmp_path)


def test_an_index_and_groups(tmp_path):
    columns = _table()
    columns = {"id": list(range(N)), "patient_id": [f"p{i // 2}" for i in range(N)], **columns}
    _assert_same(columns, tmp_path)


def _of_six(cells):
    return st.lists(cells, min_size=6, max_size=6)


ODD = (
    "NA",
    "null",
    "None",
    "-",
    "?",
    "1,234",
    "5 %",
    "$3",
    "007",
    "true",
    "False",
    "2024-03-01",
    " spaced ",
    "12",
    "1e3",
)
floats = st.integers(-1000, 1000).map(float) | st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: round(x, 3))
days = st.dates(datetime.date(1900, 1, 1), datetime.date(2100, 1, 1))
tables = st.fixed_dictionaries(
    {"x": _of_six(st.none() | floats), "y": _of_six(st.none() | st.sampled_from(WORDS + ODD))},
    optional={
        "z": _of_six(st.integers(0, 5)),
        "t": _of_six(st.none() | st.booleans()),
        "day": _of_six(st.none() | days),
    },
)


@settings(max_examples=40)
@given(tables)
def test_any_small_table(tmp_path_factory, columns):
    roles = Roles(input=tuple(columns), target="label")
    _assert_same(columns | {"label": list("ababab")}, tmp_path_factory.mktemp("formats"), roles)


@pytest.mark.parametrize("form", sorted(FORMATS.keys() - {"CSV", "JSON lines", "Parquet"}))
def test_the_same_without_targets_of_its_own(form, tmp_path):
    columns = _table()
    labels = columns.pop("label")
    del columns["day"]
    expected = _facts(as_task(pd.DataFrame(columns), labels))
    assert _facts(as_task(FORMATS[form](columns, tmp_path), labels)) == expected
