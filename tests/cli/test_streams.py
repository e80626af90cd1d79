"""Output that is not UTF-8, closed, full, or read by nobody any more: the command line in processes of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from preloaded import COMMAND_LINE

import headstart

HEADSTART = (sys.executable, "-m", "headstart")
ENCODINGS = ("cp1252", "ascii:strict")
ESCAPES = "red \x1b[31m"


def data(rows: int = 60) -> pd.DataFrame:
    """Two separable classes whose names no small encoding has, or act on a terminal; with a split, for one trial."""
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 2, rows)
    names, split = np.array(["非常好", ESCAPES])[kind], np.where(np.arange(rows) % 3, "train", "test")
    return pd.DataFrame({"größe": kind + rng.normal(0, 0.1, rows), "split": split, "kind": names})


DRIVER = """
import json, os, sys
from headstart.cli import main
codes = []
for words in json.loads(sys.argv[1]):
    sys.argv = ["headstart", *(os.fsdecode(word.encode()) for word in words)]  # as the interpreter reads its own
    sys.stdout.write("\\n=====\\n")
    try:
        main()
    except SystemExit as end:
        codes.append(int(end.code or 0))
sys.stdout.write("\\n=====\\n" + json.dumps(codes))
"""


def run_all(verbs, encoding, env):
    """Several verbs in one process: the output of each, their exit codes, and standard error."""
    words = json.dumps([list(map(str, verb)) for verb in verbs])
    done = subprocess.run([sys.executable, "-c", DRIVER, words], env=os.environ | env, capture_output=True)
    *outputs, codes = done.stdout.decode(encoding).split("\n=====\n")[1:]
    return outputs, json.loads(codes), done.stderr.decode(encoding)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("streams")
    data().to_csv(folder / "data.csv", index=False)
    headstart.fit(folder / "data.csv", method="ridge").save(folder / "model")
    return folder


@pytest.mark.parametrize("encoding", [ENCODINGS[0], pytest.param(ENCODINGS[1], marks=pytest.mark.slow)])
def test_every_verb_in_any_encoding(folder, tmp_path, encoding):
    model, table = folder / "model", folder / "data.csv"
    words = [("predict", model, table), ("evaluate", model, table), ("show", model), ("check", table), ("cache",)]
    documents = [(*verb, "--json") for verb in words[:4]]
    wrong = [("no such verb ü",), ("fit", "nowhere \x1b[31m ü", "--out", tmp_path / "n")]
    fit = ("fit", table, "--out", tmp_path / "m", "--method", "ridge")
    env = {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    name = encoding.partition(":")[0]
    outputs, codes, errors = run_all([fit, *words, *documents, *wrong], name, env)
    assert codes == [0] * 10 + [2, 3], errors
    assert "saved" in outputs[0]
    assert all(len(output) > 20 for output in outputs[:10])
    assert "\x1b" not in "".join(outputs) + errors
    assert "nowhere \\x1b[31m" in errors
    assert "\\u975e\\u5e38\\u597d" in outputs[1]
    assert "red \\x1b[31m" in outputs[1]
    predictions, *others = map(json.loads, outputs[6:10])
    assert {row["prediction"] for row in predictions["predictions"]} == {"非常好", ESCAPES}
    assert len(others) == 3


@pytest.mark.slow
def test_a_locale_of_ascii_and_files_of_utf8(folder, tmp_path):
    """Where Python itself would open files in ASCII; and headstart opens none in the encoding of the locale."""
    env = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    env |= {"PYTHONWARNDEFAULTENCODING": "1", "PYTHONWARNINGS": "error::EncodingWarning:headstart"}
    out, saved = tmp_path / "p.csv", tmp_path / "größe"
    predict = ("predict", folder / "model", folder / "data.csv", "--out", out)
    fit = ("fit", folder / "data.csv", "--out", saved, "--method", "ridge")
    _, codes, errors = run_all([predict, fit], "ascii", env)
    assert codes == [0, 0], errors
    assert set(pd.read_csv(out)["prediction"]) == {"非常好", ESCAPES}
    assert (saved / "config.json").is_file()
    assert "非常好" in (saved / "README.md").read_text("utf-8")


@pytest.mark.slow
def test_a_saved_fit_is_a_success_where_its_evidence_cannot_be_shown(preloaded, folder, tmp_path):
    with open("/dev/full", "wb") as full:
        fit = (COMMAND_LINE, "fit", folder / "data.csv", "--method", "ridge", "--out")
        done = preloaded.run(*fit, tmp_path / "m", stdout=full, to_the_end=True)
        assert (done.returncode, (tmp_path / "m" / "config.json").is_file()) == (0, True)
        assert "To see the evidence: headstart show" in done.stderr
        assert "Traceback" not in done.stderr
        done = preloaded.run(COMMAND_LINE, "show", folder / "model", stdout=full, to_the_end=True)
        assert (done.returncode, "No space left on device" in done.stderr) == (1, True)
        done = preloaded.run(*fit, tmp_path / "n", stderr=full, to_the_end=True)
        assert (done.returncode, "saved" in done.stdout) == (0, True)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_reader_who_leaves_ends_nothing(preloaded, folder, tmp_path, stream):
    fit, show = ("fit", folder / "data.csv", "--out", tmp_path / "m", "--method", "ridge"), ("show", folder / "model")
    for words in (fit, show) if stream == "stdout" else (fit,):
        reading, writing = os.pipe()
        os.close(reading)
        done = preloaded.run(COMMAND_LINE, *words, **{stream: writing}, to_the_end=True)
        os.close(writing)
        assert done.returncode == 0
        assert "BrokenPipe" not in done.stderr


@pytest.mark.parametrize("closed", [1, 2])
def test_a_stream_that_is_closed(folder, closed):
    words = " ".join(map(str, (*HEADSTART, "show", folder / "model")))
    done = subprocess.run(["sh", "-c", f"{words} {closed}>&-"], capture_output=True)
    assert (done.returncode, bool(done.stdout)) == (0, closed == 2)
