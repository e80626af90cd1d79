"""`fit --for` in a person's words: what it says, what the model then answers, and what is refused with which code."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """One row in eight is late, and two columns of numbers tell something of it."""
    draw = np.random.default_rng(0)
    late = draw.permutation(np.arange(240) % 8 == 0)
    frame = pd.DataFrame({"load": draw.normal(size=240) + 1.2 * late, "hour": draw.normal(size=240)})
    frame["state"] = np.where(late, "late", "in time")
    frame["delay"] = frame["load"] * 3
    frame["split"] = np.where(np.arange(240) % 3, "train", "test")
    frame.to_csv(path := tmp_path_factory.mktemp("late") / "late.csv", index=False)
    return path


def fitted(run, data, out, *words):
    said = run("fit", data, "--target", "state", "--method", "ridge", "--out", out, *words)
    assert said.code == 0, said.err
    return said


def test_for_a_class_its_f1_leads_and_rare_rows_are_answered(run, data, tmp_path):
    said = fitted(run, data, tmp_path / "m", "--for", "f1:late")
    assert "goal: F1 of 'late'" in said.err
    assert said.out.startswith("F1 of 'late' .")
    page, saved = said.out.split("\nsaved: ")
    assert saved.strip() == str(tmp_path / "m")
    assert max(map(len, page.splitlines())) <= 80
    record = json.loads((tmp_path / "m" / "evidence.json").read_text())
    assert record["goal"] == {"metric": "f1", "label": "late"}
    assert record["gain"]["metric"] == "f1"
    shown = run("show", tmp_path / "m").out
    assert shown.startswith("F1 of 'late' .")
    assert "goal: F1 of 'late';" in shown
    assert "goal | F1 of 'late'" in (tmp_path / "m" / "README.md").read_text("utf-8")
    rows = run("predict", tmp_path / "m", data, "--json").json["predictions"]
    unlikely = [row for row in rows if row["prediction"] == "late" and row["probabilities"]["late"] < 0.5]
    assert unlikely
    assert len({row["probabilities"]["late"] > 0.5 for row in rows if row["prediction"] == "in time"}) == 1
    line = run("predict", tmp_path / "m", data).out.splitlines()[rows.index(unlikely[0])]
    assert f"late  {unlikely[0]['probabilities']['late']:.2f}" in line
    again = run("evaluate", tmp_path / "m", data, "--target", "state", "--json").json
    truth = pd.read_csv(data)["state"]
    assert again["goal"] == record["goal"]
    assert again["metrics"]["accuracy"]["value"] == pytest.approx(
        np.mean([row["prediction"] == state for row, state in zip(rows, truth, strict=True)])
    )


def test_the_default_is_said_and_names_the_option(run, data, tmp_path):
    said = fitted(run, data, tmp_path / "m")
    assert "goal: balanced accuracy, since the largest class has over 3 times the rows of the smallest" in " ".join(
        said.err.split()
    )
    assert "--for" in said.err
    assert max(len(line) for line in said.err.splitlines() if line.startswith("goal:")) <= 120
    assert said.out.startswith("balanced accuracy .")


def test_costs_of_a_file(run, data, tmp_path):
    (tmp_path / "costs.csv").write_text("true,late,in time\nlate,0,12\nin time,1,0\n")
    said = fitted(run, data, tmp_path / "m", "--for", f"cost:{tmp_path / 'costs.csv'}", "--json").json
    assert said["goal"]["costs"] == {"labels": ["late", "in time"], "matrix": [[0.0, 12.0], [1.0, 0.0]]}
    assert said["metrics"]["cost"]["value"] <= said["baselines"]["majority"]["cost"]["value"]
    rows = run("predict", tmp_path / "m", data, "--json").json["predictions"]
    for row in rows:
        late = row["probabilities"]["late"]
        assert abs(late - 1 / 13) < 1e-5 or row["prediction"] == ("late" if 12 * late > 1 - late else "in time")


@pytest.mark.parametrize(
    ("words", "code", "match"),
    [
        (["--for", "balanced"], 2, "goal 'balanced' is unknown"),
        (["--for", "acuracy"], 2, "nearest: accuracy"),
        (["--for", "f1"], 2, "expected f1:CLASS"),
        (["--for", "f1:early"], 2, "f1:early names no class of the data; expected one of 'in time', 'late'"),
        (["--for", "rmse"], 2, "rmse is no score of a classification task"),
        (["--for", "accuracy:9"], 2, "expected accuracy"),
        (["--for", "cost:nowhere.csv"], 3, "the costs 'nowhere.csv' cannot be read"),
        (["--target", "state,delay", "--for", "accuracy"], 2, "--for"),
    ],
)
def test_refusals(run, data, tmp_path, words, code, match):
    target = [] if "--target" in words else ["--target", "state"]
    said = run("fit", data, *target, *words, "--method", "ridge", "--out", tmp_path / "new")
    assert said.code == code, said.err
    assert match in " ".join(said.err.split())
    assert said.out == ""
    assert not (tmp_path / "new").exists()


def test_help_names_the_goals(run):
    assert "balanced-accuracy" in run("fit", "--help").out
    assert "f1:CLASS" in " ".join(run("fit", "--help").out.replace("│", " ").split())
