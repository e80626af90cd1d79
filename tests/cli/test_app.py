"""The command line on real data: what it prints, what it refuses, and its exit codes."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from demo_data import emoji_folder, sentiment_csv
from preloaded import COMMAND_LINE

from headstart.cli.app import VERBS, WITHOUT_WORDS

TEXT = ("--backbone", "bundled:wordllama", "--method", "ridge", "--engine", "torch")
PICTURE = ("--backbone", "bundled:mobilenetv2", "--method", "prototypes", "--engine", "torch")
HEADLINES = {
    "n_train", "n_test", "seed", "metrics", "baselines", "gain", "verdict", "seconds", "saved",
}  # fmt: skip


def package(name: str) -> Path:
    return Path(find_spec(name).origin).parent


@pytest.fixture(scope="module")
def reviews(tmp_path_factory) -> Path:
    return sentiment_csv(tmp_path_factory.mktemp("reviews") / "amazon.csv", train=200, test=200)


@pytest.fixture(scope="module")
def fitted(preloaded, reviews, tmp_path_factory) -> Path:
    """A sentiment model, saved by the command line in a process of its own."""
    out = tmp_path_factory.mktemp("fitted") / "ein Modell ü"
    done = preloaded.run(COMMAND_LINE, "fit", reviews, "--out", out, *TEXT, "--json")
    assert done.returncode == 0, done.stderr
    (out.parent / "printed.json").write_text(done.stdout)
    return out


@pytest.fixture(scope="module")
def penguins(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("tables") / "penguins.csv"
    table = pd.read_csv(package("palmerpenguins") / "data" / "penguins.csv")
    split = ["train" if row % 4 else "test" for row in range(len(table))]  # one trial in place of fifteen
    table.assign(split=split).to_csv(path, index=False, na_rep="NA")
    return path


def test_fit_prints_the_promised_keys(fitted):
    printed = json.loads((fitted.parent / "printed.json").read_text())
    assert printed.keys() >= HEADLINES
    assert (printed["n_train"], printed["seed"], printed["saved"]) == (200, 0, str(fitted))
    for scores in (printed["metrics"], *printed["baselines"].values()):
        assert scores.keys() >= {"accuracy", "balanced_accuracy", "macro_f1"}
        assert scores["accuracy"].keys() >= {"value", "low", "high"}
    assert printed["baselines"].keys() == {"majority", "no-transfer", "random-weights"}
    assert printed["gain"].keys() >= {"metric", "over", "value", "low", "high"}
    assert printed["gain"]["over"] == "no-transfer"
    assert printed["verdict"] in ("helps", "cannot tell", "hurts")
    assert printed["seconds"].keys() >= {"features", "head", "baselines", "total"}


def test_fit_saves_the_evidence_that_it_prints(fitted):
    printed = json.loads((fitted.parent / "printed.json").read_text())
    stored = json.loads((fitted / "evidence.json").read_text())
    assert stored == {key: value for key, value in printed.items() if key != "saved"}
    assert {path.name for path in fitted.iterdir()} >= {"config.json", "model.safetensors", "README.md"}


def test_show_says_the_evidence_in_words_and_json(run, fitted):
    assert "accuracy" in run("show", fitted).out
    assert run("show", fitted, "--json").json == json.loads((fitted / "evidence.json").read_text())


def test_predict_names_each_input(run, fitted, reviews, tmp_path):
    said = run("predict", fitted, reviews, "--json")
    assert said.code == 0
    first = said.json["predictions"][0]
    assert first["prediction"] in ("negative", "positive")
    assert sum(first["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    out = tmp_path / "said.csv"
    assert run("predict", fitted, reviews, "--out", out).code == 0
    rows = list(csv.reader(out.read_text("utf-8").splitlines()))
    assert rows[0] == ["name", "prediction", "out_of_distribution", "p(negative)", "p(positive)", "reason"]
    assert len(rows) == 1 + len(pd.read_csv(reviews)) == 1 + len(said.json["predictions"])


def test_where_to_calculate_is_said_to_every_verb_that_calculates(run, fitted, reviews, tmp_path):
    asked = [
        ("fit", reviews, "--out", tmp_path / "m"),
        ("predict", fitted, reviews),
        ("evaluate", fitted, reviews),
        ("features", reviews, "--out", tmp_path / "f.npy"),
        ("distil", fitted, reviews, "--out", tmp_path / "d"),
        ("few-shot", reviews, "--out", tmp_path / "s"),
        ("pretrain", reviews, "--backbone", "bundled:minilm", "--out", tmp_path / "p"),
    ]
    for words in asked:
        said = run(*words, "--device", "cuda:99")
        assert said.code == 2, words
        assert "device = 'cuda:99': torch finds" in said.err
        assert "device = 'gpu': expected 'auto', 'cpu', 'cuda'" in run(*words, "--device", "gpu").err
    assert not list(tmp_path.iterdir())
    assert run("predict", fitted, reviews, "--device", "cpu").code == 0


def test_evaluate_scores_new_data(run, fitted, tmp_path):
    other = sentiment_csv(tmp_path / "movie.csv", domain="movie", train=100, test=1)
    said = run("evaluate", fitted, other, "--json")
    assert said.code == 0, said.err
    assert said.json["metrics"]["accuracy"]["value"] > 0.5
    assert said.json["protocol"] == "new data"
    assert "accuracy" in run("evaluate", fitted, other).out


def test_check_reports_and_says_by_its_exit_code_whether_a_fit_would_run(run, reviews, tmp_path):
    said = run("check", reviews, "--json")
    assert said.code == 0
    assert said.json.keys() >= {"rows", "used", "findings"}
    (tmp_path / "one.csv").write_text("text,label\nfine day,a\nbad day,a\nother day,a\n")
    assert run("check", tmp_path / "one.csv").code == 3
    (tmp_path / "rare.csv").write_text("text,label\nfine day,a\nbad day,b\nother day,c\n")
    rare = run("check", tmp_path / "rare.csv", "--json")
    assert (rare.code, rare.json["findings"][0]["severity"]) == (3, "error")


def test_cache_shows_and_clears(run, fitted, monkeypatch, tmp_path):
    assert run("cache").code == 0
    assert isinstance(run("cache", "--json").json, list)
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "own"))
    assert run("cache", "--json").json == []
    assert run("cache", "--clear", "--json").json == {"freed_bytes": 0}


def test_tables_of_classes(run, penguins, tmp_path):
    said = run("fit", penguins, "--target", "species", "--out", tmp_path / "m", "--method", "ridge", "--json")
    assert said.code == 0, said.err
    assert said.json["metrics"]["accuracy"]["value"] > 0.9
    assert "random-weights" not in said.json["baselines"]
    assert any("no weights to make random" in note for note in said.json["notes"])
    assert run("predict", tmp_path / "m", penguins, "--json").json["predictions"][0]["prediction"] == "Adelie"


def test_regression(run, tmp_path):
    table = pd.read_csv(package("bokeh_sampledata") / "_data" / "auto-mpg.csv")
    split = np.where(pd.factorize(table["name"])[0] % 4, "train", "test")  # one trial in place of fifteen
    table.assign(split=split).to_csv(cars := tmp_path / "cars.csv", index=False)
    said = run(
        "fit", cars, "--target", "mpg", "--group", "name", "--out", tmp_path / "m", "--method", "ridge", "--json"
    )
    assert said.code == 0, said.err
    assert said.json["metrics"].keys() >= {"r2", "mae", "rmse"}
    assert said.json["metrics"]["r2"]["value"] > 0.6


def test_multilabel(run, tmp_path):
    words = {"red": "tomato cherry ruby", "green": "leaf grass moss", "blue": "sky ocean sapphire"}
    names = list(words)
    rows = []
    for i in range(90):
        has = [name for bit, name in enumerate(names) if (i % 7 + 1) >> bit & 1]
        text = f"item {i}: " + " and ".join(words[name].split()[i % 3] for name in has)
        rows.append({"text": text, "labels": has, "split": "train" if i % 4 else "test"})
    (data := tmp_path / "many.jsonl").write_text("\n".join(map(json.dumps, rows)))
    said = run("fit", data, "--out", tmp_path / "m", *TEXT, "--json")
    assert said.code == 0, said.err
    assert said.json["kind"] == "multilabel"
    assert isinstance(run("predict", tmp_path / "m", data, "--json").json["predictions"][0]["prediction"], list)


def test_columns_may_be_named(run, reviews, tmp_path):
    table = pd.read_csv(reviews).rename(columns={"text": "one", "label": "two", "split": "three", "review": "four"})
    table.to_csv(data := tmp_path / "Daten ä 1.csv", index=False)
    words = ("--input", "one", "--target", "two", "--split", "three", "--group", "four", "--class-weight", "balanced")
    said = run("fit", data, *words, "--out", tmp_path / "m", *TEXT, "--json")
    assert said.code == 0, said.err
    assert said.json["n_train"] == 200
    assert "came with the data" in said.json["protocol"]


def test_pictures_with_test_data_of_ones_own(run, tmp_path):
    folder = emoji_folder(tmp_path / "bilder für morgen", at_least=60, at_most=12)
    for path in sorted(folder.glob("*/*.png"))[::3]:
        (tmp_path / "test" / path.parent.name).mkdir(parents=True, exist_ok=True)
        path.rename(tmp_path / "test" / path.parent.name / f"né {path.name}")
    said = run("fit", folder, "--test", tmp_path / "test", "--out", tmp_path / "m", *PICTURE, "--json")
    assert said.code == 0, said.err
    assert said.json["n_test"] == len(list((tmp_path / "test").glob("*/*")))
    assert said.json["baselines"].keys() == {"majority", "no-transfer", "random-weights"}
    picture = next((tmp_path / "test").glob("*/*"))
    assert len(run("predict", tmp_path / "m", picture, "--json").json["predictions"]) == 1


@pytest.mark.parametrize(
    ("words", "code", "match"),
    [
        (["fit", "DATA"], 2, "--out"),
        (["fit", "DATA", "--out", "NEW", "--method", "nonsense"], 2, "expected one of: probe"),
        (["fit", "DATA", "--out", "NEW", "--kind", "ranking"], 2, "expected classification, regression or multilabel"),
        (["fit", "DATA", "--out", "NEW", "--seed", "x"], 2, "--seed"),
        (["fit", "DATA", "--out", "NEW", "--class-weight", "heavy"], 2, "balanced"),
        (["fit", "DATA", "--out", "NEW", "--engine", "steam"], 2, "openvino"),
        (["nonsense"], 2, "nonsense"),
        (["fit", "nowhere", "--out", "NEW"], 3, "no such file or folder"),
        (["fit", "DATA", "--out", "NEW", "--target", "lable"], 3, "lable"),
        (["fit", "DATA", "--out", "NEW", "--backbone", "bundled:nonsense"], 4, "nonsense"),
        (["fit", "DATA", "--out", "NEW", "--backbone", "nonsense"], 4, "hub"),
        (["predict", "nowhere", "DATA"], 5, "nowhere"),
        (["show", "nowhere"], 5, "nowhere"),
        (["evaluate", "nowhere", "DATA"], 5, "nowhere"),
    ],
)
def test_refusals(run, reviews, tmp_path, words, code, match):
    places = {"DATA": reviews, "NEW": tmp_path / "new"}
    said = run(*[places.get(word, word) for word in words])
    assert said.code == code, said.err
    assert match in said.err
    assert said.out == ""
    assert not (tmp_path / "new").exists()


def test_a_taken_place_is_refused_before_any_work(run, reviews, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").write_text("mine")
    said = run("fit", reviews, "--out", tmp_path / "notes", *TEXT)
    assert said.code not in (0, 1)
    assert "read " not in said.err
    assert [path.name for path in (tmp_path / "notes").iterdir()] == ["mine.txt"]


def test_a_model_is_replaced_only_where_asked(run, fitted, reviews, tmp_path):
    shutil.copytree(fitted, tmp_path / "m")
    assert run("fit", reviews, "--out", tmp_path / "m", *TEXT).code not in (0, 1)
    assert run("fit", reviews, "--out", tmp_path / "m", *TEXT, "--seed", "5", "--overwrite").code == 0
    assert json.loads((tmp_path / "m" / "evidence.json").read_text())["seed"] == 5


def test_help_does_not_import_torch():
    script = (
        "import sys; sys.argv = ['headstart', '--help']\n"
        "from headstart.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'sklearn', 'pandas', 'numpy', 'timm', 'transformers'} & sys.modules.keys()\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert [verb for verb in VERBS if f" {verb} " in done.stdout] == list(VERBS)
    assert "Fit a model on DATA" in done.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_explains_itself(run, verb):
    said = run(verb, "--help")
    assert said.code == 0
    assert f"headstart {verb} " in said.out
    assert len(said.out.splitlines()) > 4
    assert run(verb, "--no-such-option").code == 2
    if verb not in WITHOUT_WORDS:
        assert run("--", verb).out.split("╭")[0] == run(verb).out.split("╭")[0] == said.out.split("╭")[0]


def test_a_verb_that_there_is_not_is_refused_with_the_nearest(run):
    for words in (["fitt"], ["fitt", "fit"], ["--fit"], ["-x", "fit"]):
        said = run(*words)
        assert said.code == 2
        assert "fitt" not in words or "fit" in said.err


def test_an_interrupted_fit_leaves_nothing(tmp_path, monkeypatch):
    data, out = emoji_folder(tmp_path / "pictures", at_least=25), tmp_path / "out" / "m"
    out.parent.mkdir()
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    words = [sys.executable, "-m", "headstart", "fit", data, "--out", out, "--backbone", "bundled:efficientnet-lite0"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if line.startswith("read "):
                break
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    # CPython ends by the signal itself where the interrupt hit code run by exec; a shell shows 130 for both.
    assert process.returncode in (130, -signal.SIGINT), said
    assert "interrupted" in said
    assert "Traceback" not in said
    assert list(out.parent.iterdir()) == []
