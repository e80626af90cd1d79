"""Wrong labels, strange rows, copies and leaks that were put into data are suggested; only a copy is cleaned."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import headstart as hs
from headstart.errors import DataError
from headstart.study.cleaning.suggestions import Suggestion, Suggestions

ROWS = 120


def flowers(seed: int = 0) -> pd.DataFrame:
    """Two numbers and one of three classes that they tell apart."""
    rng = np.random.default_rng(seed)
    codes = np.arange(ROWS) % 3
    middle = np.array([[0, 0], [6, 0], [0, 6]])[codes]
    return pd.DataFrame(
        {
            "long": middle[:, 0] + rng.normal(size=ROWS),
            "wide": middle[:, 1] + rng.normal(size=ROWS),
            "target": np.array(["rose", "tulip", "aster"])[codes],
        }
    )


def dirty() -> pd.DataFrame:
    """Row 0 has another's label, row 5 repeats row 2, row 10 is far from all."""
    frame = flowers()
    frame.loc[0, "target"] = "tulip"
    frame.loc[5] = frame.loc[2]
    frame.loc[10, ["long", "wide"]] = [60.0, 70.0]
    return frame


@pytest.fixture(scope="module")
def suggested() -> Suggestions:
    return hs.clean(dirty())


def test_what_was_put_in_is_suggested_and_little_else(suggested: Suggestions) -> None:
    errors = {item.row: item for item in suggested.of("label error")}
    assert (errors[0].label, errors[0].suggestion) == ("tulip", "rose")
    assert errors[0].score is not None
    assert 0.5 < errors[0].score <= 1
    assert len(errors) <= 3
    assert [(item.row, item.other) for item in suggested.of("duplicate")] == [(5, 2)]
    assert suggested.of("outlier")[0].row == 10
    assert len(suggested.of("outlier")) <= 8
    assert not suggested.of("ambiguous classes")
    assert "row 0: given tulip, rather rose" in str(suggested)
    assert json.loads(json.dumps(suggested.to_json()))["n_rows"] == ROWS


def test_a_cleaned_copy_is_written_and_the_data_stay(tmp_path: Path) -> None:
    file, copy, listed = tmp_path / "flowers.csv", tmp_path / "cleaned.csv", tmp_path / "suggestions.csv"
    dirty().to_csv(file, index=False)
    before = file.read_bytes()
    suggested = hs.clean(file, out=listed, apply=copy)
    assert file.read_bytes() == before
    cleaned = pd.read_csv(copy)
    assert list(cleaned.columns) == ["long", "wide", "target"]
    assert len(cleaned) == ROWS - 1
    assert cleaned.loc[0, "target"] == "rose"
    table = pd.read_csv(listed)
    assert list(table.columns) == list(Suggestion._fields)
    assert len(table) == len(suggested)


def test_the_data_are_never_written_over(tmp_path: Path) -> None:
    file = tmp_path / "flowers.csv"
    dirty().to_csv(file, index=False)
    before = file.read_bytes()
    for options in ({"apply": file}, {"out": file}):
        with pytest.raises(ValueError, match="is read as data and would be written over"):
            hs.clean(file, **options)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="name two files"):
        hs.clean(file, out=tmp_path / "one.csv", apply=tmp_path / "one.csv")
    assert file.read_bytes() == before


def test_training_rows_that_repeat_tested_ones_are_leaks() -> None:
    frame = flowers()
    frame["split"] = np.where(np.arange(ROWS) < 80, "train", "test")
    frame.loc[3, ["long", "wide", "target"]] = frame.loc[100, ["long", "wide", "target"]]
    suggested = hs.clean(frame)
    assert [(item.row, item.other) for item in suggested.of("leak")] == [(3, 100)]
    assert not suggested.of("duplicate")


def test_classes_that_are_the_same_are_to_be_merged() -> None:
    frame = flowers()
    halves = np.random.default_rng(1).random(ROWS) < 0.5
    frame.loc[(frame["target"] == "rose") & halves, "target"] = "dog rose"
    pairs = hs.clean(frame).of("ambiguous classes")
    assert [(item.label, item.suggestion) for item in pairs] == [("dog rose", "rose")]
    assert pairs[0].row is None
    assert pairs[0].score is not None
    assert pairs[0].score < 0.75


def test_of_numbers_those_far_from_what_is_expected_are_suspected() -> None:
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(ROWS, 2))
    values = columns @ [2.0, 1.0] + 0.1 * rng.normal(size=ROWS)
    values[7] += 30
    frame = pd.DataFrame({"a": columns[:, 0], "b": columns[:, 1], "target": values})
    suggested = hs.clean(frame, kind="regression")
    assert suggested.of("value error")[0].row == 7
    assert not suggested.of("label error")


def test_of_several_labels_a_missing_one_is_suspected() -> None:
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(200, 2))
    has = columns > 0
    has[4] = [False, False]
    columns[4] = [1.2, 1.2]
    labels = [[name for name, there in zip(("warm", "wet"), row, strict=True) if there] for row in has]
    frame = pd.DataFrame({"a": columns[:, 0], "b": columns[:, 1], "target": labels})
    errors = {item.row: item for item in hs.clean(frame, kind="multilabel").of("label error")}
    assert errors[4].label == []
    assert errors[4].suggestion == ["warm", "wet"]


@pytest.mark.parametrize("rows", [2, 3])
def test_of_so_few_rows_the_notes_say_what_was_not_looked_for(rows: int) -> None:
    suggested = hs.clean(flowers().head(rows))
    assert not suggested.of("label error")
    assert suggested.n_rows == rows


def test_a_class_of_one_row_is_not_suspected() -> None:
    frame = flowers()
    frame.loc[0, "target"] = "orchid"
    assert 0 not in {item.row for item in hs.clean(frame).of("label error")}


def test_without_cleanlab_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def no_cleanlab(name: str, *arguments: Any, **named: Any) -> Any:
        if name.partition(".")[0] == "cleanlab":
            raise ImportError("No module named 'cleanlab'")
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", no_cleanlab)
    with pytest.raises(ImportError, match=r"pip install 'headstart\[clean\]'"):
        hs.clean(flowers())


def test_arrays_in_memory_have_no_cleaned_copy(tmp_path: Path) -> None:
    task = hs.read(flowers())
    with pytest.raises(DataError, match="a cleaned copy is of a folder, a file or a table"):
        hs.clean(task, apply=tmp_path / "cleaned.csv")


def test_the_verb_prints_suggestions(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "flowers.csv"
    dirty().to_csv(file, index=False)
    shown = run("clean", file, "--json", "--apply", tmp_path / "cleaned.csv")
    assert shown.code == 0
    assert {"label error", "duplicate", "outlier"} <= {item["problem"] for item in shown.json["suggestions"]}
    assert (tmp_path / "cleaned.csv").exists()
