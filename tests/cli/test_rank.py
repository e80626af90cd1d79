"""`headstart rank` on real sentences and pictures: what it prints, what it leaves out, what it refuses."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from demo_data import emoji_folder, sentiment_csv
from preloaded import COMMAND_LINE

WORDS = "bundled:wordllama"
TORCH = ("--engine", "torch")


@pytest.fixture(scope="module")
def reviews(tmp_path_factory) -> Path:
    return sentiment_csv(tmp_path_factory.mktemp("reviews") / "amazon.csv", train=260, test=100)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    return emoji_folder(tmp_path_factory.mktemp("emoji"), at_least=60, at_most=12)


def test_it_names_the_winner_and_the_next_command(run, reviews):
    candidates = f"{WORDS},{WORDS}@max,{WORDS}?weights=random,hf:no/such,bundled:mobilenetv2"
    done = run("rank", reviews, "--candidates", candidates, *TORCH)
    assert done.code == 0
    lines = done.out.splitlines()
    assert max(map(len, lines[:-1])) <= 80
    assert lines[0].startswith(WORDS)
    assert lines[-1] == "next: " + shlex.join(["headstart", "fit", str(reviews), "--backbone", WORDS, "--out", "MODEL"])
    for name in (WORDS, f"{WORDS}@max", f"{WORDS}?weights=random"):
        assert any(line.split()[:1] == [name] for line in lines)
    words = " ".join(done.out.split())
    assert (
        "not ranked: hf:no/such: config.json and model*.safetensors of the hub repository no/such are not on" in words
    )
    assert "not ranked: bundled:mobilenetv2: it takes pictures, and these are texts" in words
    assert "200 rows: bundled:wordllama leads 3 of 3 candidates" in done.err


def test_json(run, reviews):
    done = run("rank", reviews, "--candidates", f"{WORDS},{WORDS}@max", "--most", 220, "--json", *TORCH)
    ranking = done.json
    assert done.err == ""
    assert ranking["winner"] == ranking["places"][0]["name"] == WORDS
    assert ranking["next"].startswith("headstart fit ")
    assert ranking["available"] == 260
    assert all(place["rows"] in (200, 220) for place in ranking["places"])
    assert ranking["places"][1].keys() == {"name", "score", "behind", "rows", "seconds"}


def test_rows_of_the_test_split_are_not_looked_at(run, reviews, tmp_path):
    """Other answers in the test rows change nothing."""
    table = pd.read_csv(reviews)
    other = tmp_path / "other.csv"
    turned = table["label"].map({"positive": "negative", "negative": "positive"})
    table.assign(label=table["label"].where(table["split"] == "train", turned)).to_csv(other, index=False)
    asked = ("--candidates", f"{WORDS},{WORDS}@max", "--json", *TORCH)
    first, second = (run("rank", data, *asked).json["places"] for data in (reviews, other))
    assert [place["score"] for place in first] == [place["score"] for place in second]


def test_the_winner_is_fitted_and_predicts_the_same_in_a_fresh_process(preloaded, run, pictures, tmp_path):
    names = "timm:test_vit@1?weights=random,timm:test_vit@2@cls?weights=random"
    winner = run("rank", pictures, "--candidates", names, "--json", *TORCH).json["winner"]
    assert winner in names.split(",")
    for method in ("ridge", "top"):
        out = tmp_path / method
        words = ("fit", pictures, "--out", out, "--backbone", winner, "--method", method, "--no-control", *TORCH)
        words = (*words, "--keep-transfer")
        more = ("--option", "epochs=1", "--keep-tuned") if method == "top" else ()
        done = preloaded.run(COMMAND_LINE, *words, *more)
        assert done.returncode == 0, done.stderr
        config = json.loads((out / "config.json").read_text())["backbone"]
        assert config["spec"]["hub"] == "layers"
        some = sorted(next(pictures.iterdir()).iterdir())[:5]
        here = run("predict", out, *some, "--json").json["predictions"]
        there = preloaded.run(COMMAND_LINE, "predict", out, *some, "--json")
        for ours, theirs in zip(here, json.loads(there.stdout)["predictions"], strict=True):
            assert ours["prediction"] == theirs["prediction"]
            np.testing.assert_allclose(
                list(ours["probabilities"].values()), list(theirs["probabilities"].values()), atol=1e-5
            )


def test_a_list_in_a_file(run, reviews, tmp_path):
    listed = tmp_path / "two.txt"
    listed.write_text(f"{WORDS}   # the fast one\n{WORDS}@max\n")
    ranking = run("rank", reviews, "--candidates", listed, "--json", *TORCH).json
    assert {place["name"] for place in ranking["places"]} == {WORDS, f"{WORDS}@max"}


@pytest.mark.slow
def test_another_score(run, reviews):
    ranking = run("rank", reviews, "--candidates", f"{WORDS},{WORDS}@max", "--score", "logme", "--json", *TORCH).json
    assert ranking["measure"] == "logme"
    assert ranking["winner"] == WORDS


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--candidates", ""), 2, "names none: expected bundled, small, timm:PATTERN, a file, or names"),
        (("--candidates", f"{WORDS},{WORDS}"), 2, f"names {WORDS} twice: name each one once"),
        (("--candidates", "bundeld"), 2, "nearest: bundled"),
        (("--candidates", "timm:no-such-*"), 2, "no weights of such a name are on this machine"),
        (("--candidates", "hf:a/b,bundled:c"), 4, "none of the candidates can be used. hf:a/b: "),
        (("--candidates", f"{WORDS}@7"), 4, "no layer '7'. Its layers: 0 (all)"),
        (("--score", "logmee"), 2, "nearest: logme"),
        (("--score", "leep"), 2, "expected one of leave-one-out"),
        (("--most", "1"), 2, "most=1: expected a whole number, 2 or more"),
        (("--engine", "fast"), 2, "engine"),
    ],
)
def test_what_is_refused(run, reviews, words, code, message):
    done = run("rank", reviews, *words)
    assert done.code == code, done.err
    assert message in " ".join(done.err.split())
    assert done.out == ""


def test_data_that_nothing_can_be_ranked_for(run, tmp_path):
    same, table = tmp_path / "same.csv", tmp_path / "table.csv"
    texts = [f"a text of several words, number {row}" for row in range(30)]
    split = ["test"] * 10 + ["train"] * 20
    rows = pd.DataFrame({"text": texts, "label": ["bad"] * 10 + ["good"] * 20, "split": split})
    rows.to_csv(same, index=False)
    done = run("rank", same, "--candidates", WORDS)
    assert done.code == 3
    assert "the target is 'good' in all 20 rows that can be used: expected two classes at least" in done.err
    rows.assign(label="good").to_csv(same, index=False)
    done = run("rank", same, "--candidates", WORDS)
    assert done.code == 3
    assert "only one class, 'good', in all 30 rows" in done.err
    pd.DataFrame({"a": np.arange(30) / 7, "b": np.arange(30) % 11 / 3, "label": ["x", "y"] * 15}).to_csv(
        table, index=False
    )
    done = run("rank", table)
    assert done.code == 3
    assert "the features of a table are its columns: there is no backbone to choose, use fit" in done.err


@pytest.mark.slow
def test_an_interrupted_ranking_goes_on_from_what_it_had(pictures, tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    words = [sys.executable, "-m", "headstart", "rank", pictures, "--candidates", "bundled:mobilenetv2", *TORCH]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not list((tmp_path / "cache").glob("*")) and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode in (130, -signal.SIGINT), err
    assert "Traceback" not in err
    assert out == ""
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("bundled:mobilenetv2 is the only candidate")
