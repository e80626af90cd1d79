"""The command line of a race: `fit --budget` and `race`."""

from __future__ import annotations

import json
import sys

import pytest
from sklearn.datasets import load_wine

from headstart.cli.app import main
from headstart.cli.race import candidates_of


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("wine") / "wine.csv"
    frame = load_wine(as_frame=True).frame
    frame.assign(target=frame["target"].map({0: "a", 1: "b", 2: "c"})).to_csv(path, index=False)
    return path


def run(monkeypatch, capsys, *words):
    """Exit code, standard output and standard error of a command."""
    monkeypatch.setattr(sys, "argv", ["headstart", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    out = capsys.readouterr()
    return ended.value.code or 0, out.out, out.err


def test_a_race_is_fitted_saved_and_looked_at(table, tmp_path, monkeypatch, capsys):
    model = tmp_path / "model"
    words = ["fit", table, "--out", model, "--budget", "1h", "--target", "target", "--method", "kernel"]
    code, out, _ = run(monkeypatch, capsys, *words)
    assert code == 0
    assert "the race: 2 settings" in out
    assert f"saved: {model}" in out
    code, out, _ = run(monkeypatch, capsys, "race", model)
    assert code == 0
    assert "2 settings tried" in out
    code, out, _ = run(monkeypatch, capsys, "race", model, "--json")
    assert {row["name"] for row in json.loads(out)["rows"]} == {"probe", "kernel"}
    code, out, _ = run(monkeypatch, capsys, "predict", model, table)
    assert code == 0
    assert len(out.splitlines()) == 178


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--budget", "10 bananas"), "expected a time such as 90s"),
        (("--budget", "0"), "more than none"),
        (("--budget", "-5m"), "expected a time such as 90s"),
        (("--candidates", "bundled:minilm"), "candidates have no use: the features of a table are its columns"),
        (("--budget", "1m", "--slim"), "a race may move its weights"),
        (("--budget", "1m", "--option", "lr=1"), "--option has no use with a budget"),
        (("--budget", "1m", "--source", "x.csv"), "--source has no use with a budget"),
        (("--budget", "1m", "--method", "coral"), "is not raced"),
        (("--budget", "1m", "--backbone", "a", "--candidates", "b"), "both name what is to be used"),
        (("--budget", "1m", "--target", "alcohol,hue"), "--budget is for one target"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(table, tmp_path, monkeypatch, capsys, more, words):
    target = () if "--target" in more else ("--target", "target")
    code, out, errors = run(monkeypatch, capsys, "fit", table, "--out", tmp_path / "model", *target, *more)
    assert code == 2
    assert words in errors
    assert out == ""
    assert not (tmp_path / "model").exists()


def test_no_race_is_an_error_of_its_own(tmp_path, monkeypatch, capsys):
    code, _, errors = run(monkeypatch, capsys, "race", tmp_path / "model")
    assert code == 8
    assert "there is no race" in errors


def test_candidates_are_given_one_by_one_or_with_commas():
    assert candidates_of(["a,b", " c "]) == ["a", "b", "c"]
    assert candidates_of(None) is candidates_of([","]) is None
