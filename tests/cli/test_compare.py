"""`compare` in a person's words: the table, what is refused by which code, an interrupt, the command that follows."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from demo_data import emoji_folder, rated_sentences
from preloaded import COMMAND_LINE
from short_minilm import short_minilm

FAST = ("--engine", "torch", "--option", "epochs=2", "--option", "precision=float32", "--option", "disk=0")


@pytest.fixture(scope="module")
def sentences(tmp_path_factory):
    """Rated sentences: 60 to learn from, 60 to be tested on; and a network for them, of real weights."""
    folder = tmp_path_factory.mktemp("sentences")
    rated = [(text, "good" if rating > 0 else "bad") for _, rating, text in rated_sentences("amazon")][:120]
    frame = pd.DataFrame(rated, columns=["text", "label"]).assign(split=["train", "test"] * 60)
    frame.to_csv(folder / "rated.csv", index=False)
    return folder / "rated.csv", short_minilm(folder / "minilm")


def words_of(sentences, *more):
    data, backbone = sentences
    return ("compare", data, "--target", "label", "--backbone", backbone, *FAST, *more)


def test_it_prints_a_table_and_the_command_that_follows_from_it(run, sentences, tmp_path):
    said = run(*words_of(sentences, "--methods", "top,lp-ft"))
    assert said.code == 0, said.err
    page, _, following = said.out.strip().rpartition("\n\n")
    assert max(map(len, page.splitlines())) <= 79
    for name in ("no-transfer", "probe", "top", "lp-ft"):
        assert f"  {name} " in page or f"* {name} " in page
    assert "weights move next: top, lp-ft: at most" in " ".join(said.err.split())
    command = shlex.split(following.removeprefix("next: "))
    assert command[:3] == ["headstart", "fit", str(sentences[0])]
    assert command[-2:] == ["--out", "model"]
    made = run(*command[1:-1], tmp_path / "model", "--no-control", "--engine", "torch")
    assert made.code == 0, made.err
    again = run(*words_of(sentences, "--methods", "top,lp-ft", "--json"))
    record = again.json
    assert again.err == ""
    assert [row["cached"] for row in record["methods"]] == [True] * 4
    assert record["next"] == following.removeprefix("next: ")
    evidence = json.loads((tmp_path / "model" / "evidence.json").read_text())
    advised = next(row for row in record["methods"] if row["name"] == record["advised"])
    assert evidence["metrics"]["accuracy"]["value"] == pytest.approx(advised["scores"]["accuracy"]["value"])


@pytest.mark.parametrize(
    ("more", "code", "match"),
    [
        (("--methods", "tpo"), 2, "nearest: top"),
        (("--methods", "distil"), 2, "headstart distil"),
        (("--methods", "auto"), 2, "--source DATA"),
        (("--methods", ","), 2, "none is named"),
        (("--option", "alpha=1"), 2, "not of every method"),
        (("--for", "nonsense"), 2, "nonsense"),
        (("--target", "lable"), 3, "lable"),
        (("--target", "label,split"), 2, "a comparison is of one target"),
        (("--backbone", "bundled:nonsense"), 4, "nonsense"),
    ],
)
def test_what_cannot_be_is_refused(run, sentences, more, code, match):
    said = run(*words_of(sentences, *more))
    assert said.code == code, said.err
    assert match in said.err
    assert said.out == ""


def test_a_source_is_named_in_the_command_where_it_is_drawn_on(run, tmp_path):
    draw = np.random.default_rng(0)
    x = draw.normal(size=(260, 2))
    frame = pd.DataFrame(x, columns=["a", "b"]).assign(label=np.where(x[:, 0] > 0, "yes", "no"))
    frame[:200].to_csv(tmp_path / "source.csv", index=False)
    frame[200:].to_csv(tmp_path / "target.csv", index=False)
    words = ("compare", tmp_path / "target.csv", "--source", tmp_path / "source.csv", "--target", "label", "--json")
    alone = run(*words, "--target-labels", "none")
    assert alone.code == 0, alone.err
    record = alone.json
    assert [row["name"] for row in record["methods"]] == ["source-only", "auto"]
    assert record["transfer"] is None
    assert "--source" in record["next"]
    assert record["next"].split()[-4:] == ["--method", record["advised"], "--out", "model"]


@pytest.mark.slow
def test_an_interrupt_prints_what_is_finished_and_the_same_command_goes_on(sentences, tmp_path, monkeypatch, preloaded):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    words = words_of(sentences, "--methods", "top,gradual", "--option", "epochs=40", "--option", "patience=40")
    command = [sys.executable, "-m", "headstart", *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if line.startswith("weights move next"):
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode in (130, -signal.SIGINT), err
    assert "Traceback" not in err
    assert "interrupted; finished features are kept" in err
    assert out.startswith("PARTIAL: interrupted before")
    assert "* " in out
    assert "next:" not in out
    done = preloaded.run(COMMAND_LINE, *words_of(sentences, "--json"), "--methods", "ridge")
    assert done.returncode == 0, done.stderr
    cached = {row["name"]: row["cached"] for row in json.loads(done.stdout)["methods"]}
    assert cached == {"no-transfer": True, "probe": True, "ridge": False}


@pytest.mark.slow
def test_pictures_of_twemoji_by_every_way(run, tmp_path):
    data = emoji_folder(tmp_path / "emoji", at_least=40, at_most=24, train=10)
    said = run("compare", data, "--backbone", "bundled:mobilenetv2", *FAST, "--json")
    assert said.code == 0, said.err
    rows = {row["name"]: row for row in said.json["methods"]}
    assert list(rows) == ["no-transfer", "scratch", "probe", "top", "gradual", "fine-tune", "lp-ft", "l2-sp"]
    assert rows["probe"]["scores"]["accuracy"]["value"] > rows["scratch"]["scores"]["accuracy"]["value"]
    assert said.json["failed"] == []
