"""headstart explain."""

from __future__ import annotations

import pandas as pd
import pytest
from explained import frame, table

__all__ = ["frame", "table"]


@pytest.fixture
def saved(table, frame, tmp_path):
    frame.iloc[:2].to_csv(tmp_path / "new.csv", index=False)
    frame.assign(label=["a", "b", "c"] * 20).to_csv(tmp_path / "data.csv", index=False)
    return table.save(tmp_path / "model"), tmp_path


def test_words_numbers_a_page_and_a_picture(saved, run):
    model, folder = saved
    words = run("explain", model, folder / "new.csv")
    assert words.code == 0
    assert "by contributions" in words.out
    record = run("explain", model, folder / "new.csv", "--json", "--no-check").json
    assert [part["name"] for part in record["explanations"][0]["parts"]] == ["age", "height", "city"]
    for name in ("out.png", "out.html"):
        (folder / name).write_text("before")
        assert run("explain", model, folder / "new.csv", "--out", folder / name).code == 0
        assert (folder / name).read_bytes()[:4] in (b"\x89PNG", b"<!DO")


def test_what_cannot_be_done_is_said_before_the_work(saved, run):
    model, folder = saved
    assert "names no format: expected .png or .html" in run("explain", model, folder / "new.csv", "--out", "x.gif").err
    gone = run("explain", model, folder / "new.csv", "--out", folder / "gone" / "x.png")
    assert (gone.code, "there is no folder" in gone.err) == (2, True)
    assert "give an INPUT to explain, or --data DATA" in run("explain", model).err
    unknown = run("explain", model, folder / "new.csv", "--class", "d")
    assert (unknown.code, "the model does not know it" in unknown.err) == (2, True)


def test_of_many_rows_the_first_are_explained_and_the_others_counted(saved, frame, run):
    model, folder = saved
    frame.iloc[:23].to_csv(folder / "many.csv", index=False)
    asked = ("explain", model, folder / "many.csv", "--no-check", "--json")
    some = run(*asked)
    assert [row["name"] for row in some.json["explanations"]] == [f"line {line}" for line in range(2, 22)]
    told = "the first 20 of 23 inputs are explained, 3 are not: --rows all"
    assert told in some.json["notes"][0]
    assert len(run(*asked, "--rows", "all").json["explanations"]) == 23
    two = run("explain", model, folder / "many.csv", "--no-check", "--rows", "2")
    assert two.out.count("by contributions") == 2
    assert "the first 2 of 23 inputs are explained, 21 are not" in two.err
    wrong = run(*asked, "--rows", "0")
    assert (wrong.code, "--rows 0: expected a number from 1 on, or all" in wrong.err) == (2, True)


def test_the_model_as_a_whole(saved, run):
    model, folder = saved
    record = run("explain", model, "--data", folder / "data.csv", "--json").json
    assert len(record["training_rows"]) == 20
    assert record["exact"] is False
    assert set(record["separation"]["classes"]) <= {"a", "b", "c"}
    assert any("reuses no pretrained network" in note for note in record["notes"])
    assert len(pd.read_csv(folder / "data.csv")) == 60
