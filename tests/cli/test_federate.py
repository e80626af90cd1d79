"""The verb `federate`, in words and as JSON."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("flwr")


def run(*words):
    command = [sys.executable, "-m", "headstart", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


def owned(folder):
    rng = np.random.default_rng(0)
    lines = ['target = "dose"', 'kind = "regression"', "folds = 3"]
    for name in ("a", "b"):
        x = rng.normal(size=(16, 2))
        frame = pd.DataFrame(x, columns=["age", "weight"]).assign(dose=3 * x[:, 0] + rng.normal(0, 0.1, 16) + 50)
        frame.to_csv(folder / f"{name}.csv", index=False)
        lines.append(f'[[client]]\nname = "{name}"\ndata = "{name}.csv"')
    (folder / "clients.toml").write_text("\n".join(lines) + "\n", "utf-8")
    return folder / "clients.toml"


@pytest.mark.slow
def test_a_model_of_two_owners_is_saved_and_predicts(tmp_path):
    done = run("federate", owned(tmp_path), "--out", tmp_path / "m", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert set(said["clients"]) == {"a", "b"}
    assert set(said["clients"]["a"]["verdicts"]) == {"alone", "no-transfer"}
    assert said["clients"]["a"]["score"][0] > 0.9
    assert not (tmp_path / "m.part").exists()
    answers = run("predict", tmp_path / "m", tmp_path / "a.csv", "--json")
    assert answers.returncode == 0, answers.stderr
    again = run("federate", tmp_path / "clients.toml", "--out", tmp_path / "m")
    assert again.returncode != 0
    assert "--overwrite" in again.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "--out is missing"),
        (["--join", "localhost:9092"], "--as is missing"),
        (["--join", "localhost:9092", "--as", "a"], "--ca is missing"),
        (["--out", "m", "--serve", "localhost:9092"], "--certificate is missing"),
    ],
)
def test_what_is_missing_is_named(options, words):
    from typer.testing import CliRunner

    from headstart.cli.app import _app

    result = CliRunner().invoke(_app("federate"), ["federate", "clients.toml", *options])
    assert isinstance(result.exception, ValueError)
    assert words in str(result.exception)
