"""`headstart drift`: a table over time and a verdict, from a log or from inputs."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from drifting import clouds, served

import headstart as hs
from headstart.cli.app import main
from headstart.deployment.monitoring.drift import Question, WindowDrift
from headstart.deployment.monitoring.drift_log import DriftLog
from headstart.deployment.monitoring.drift_observer import DriftObserver
from headstart.deployment.monitoring.drift_report import Compared, Drift
from headstart.errors import DataError


@pytest.fixture
def log(cloud_model, shifted, tmp_path):
    """Three windows of rows like the training rows, and two that are not."""
    path = tmp_path / "served.log"
    observer = DriftObserver(cloud_model.model_, window=100, log=DriftLog(path))
    for rows in (clouds(300, 7)[0], shifted):
        observer(*served(cloud_model, rows))
    observer.stop()
    return path


def run(monkeypatch, capsys, *words):
    monkeypatch.setattr("sys.argv", ["headstart", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        main()
    out = capsys.readouterr()
    return end.value.code or 0, out.out, out.err


def test_the_windows_that_drifted_are_named(cloud_model, log):
    drift = hs.drift(cloud_model, log)
    assert [window.says.p < 0.01 for window in drift.windows] == [False] * 3 + [True] * 2
    assert drift.verdict.startswith("drift: 2 of 5 windows are unlike the training rows in their features")
    assert drift.windows[3].name in drift.verdict
    assert str(drift).splitlines()[0].split() == ["window", "rows", "MMD^2", "p", "strange", "p", "shares", "p"]
    assert sum(line.endswith("drift") for line in str(drift).splitlines()) == 2


def test_windows_are_taken_together(cloud_model, log):
    drift = hs.drift(cloud_model, log, rows=250)
    assert [window.says.rows for window in drift.windows] == [300, 200]
    assert [window.says.p < 0.01 for window in drift.windows] == [False, True]


def test_inputs_are_compared_themselves(cloud_model, shifted, tmp_path):
    same, path = clouds(150, 9)[0], tmp_path / "rows.csv"
    same.to_csv(path, index=False)
    assert hs.drift(cloud_model, path).verdict.startswith("no drift: the rows are not unlike the training rows")
    drift = hs.drift(cloud_model, shifted, rows=90)
    assert [window.name for window in drift.windows] == ["rows 1 to 90", "rows 91 to 180", "rows 181 to 200"]
    assert drift.p < 1e-6


def test_the_command_prints_a_table_and_json(cloud_folder, log, monkeypatch, capsys):
    code, out, _ = run(monkeypatch, capsys, "drift", cloud_folder, log)
    assert code == 0
    assert "drift: 2 of 5 windows" in out
    code, out, _ = run(monkeypatch, capsys, "drift", cloud_folder, log, "--json", "--rate", "1e-300")
    result = json.loads(out)
    assert result["drift"] is False
    assert len(result["windows"]) == 5
    assert result["windows"][0]["mmd"]["p"] > 0.01
    assert result["windows"][0]["rows"] >= 100


def test_what_was_passed_over_is_noted(cloud_model, log):
    with log.open("a") as file:
        file.write('{"format": "headstart-drift", "mod')
    assert hs.drift(cloud_model, log).notes == ("1 lines are no whole windows and were passed over",)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("served.log", "", "served.log is empty"),
        ("served.jsonl", "", "served.jsonl is empty"),
        ("gone.log", None, "there is no log at"),
        ("gone.jsonl", None, "there is no log at"),
    ],
)
def test_logs_without_a_window_are_refused_in_words(cloud_folder, monkeypatch, capsys, tmp_path, name, content, words):
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    code, _, err = run(monkeypatch, capsys, "drift", cloud_folder, path)
    assert code == 3
    assert words in err


def test_the_log_of_another_model_is_refused(log, tmp_path):
    other = hs.Transfer(method="ridge", cache=False).fit(*clouds(60, 1))
    with pytest.raises(DataError, match="is the log of another model"):
        hs.drift(other, log)


def test_too_few_rows_and_wrong_options_are_refused(cloud_model, log):
    with pytest.raises(DataError, match="19 rows are too few to compare: expected 20 or more"):
        hs.drift(cloud_model, clouds(19, 1)[0])
    with pytest.raises(ValueError, match="rate of false alarms is 0"):
        hs.drift(cloud_model, log, rate=0)
    with pytest.raises(ValueError, match="rows = 3"):
        hs.drift(cloud_model, log, rows=3)


def test_a_model_of_an_earlier_version_tells_what_is_missing(cloud_model, log):
    stored = replace(cloud_model.model_.uncertainty, means=None)
    earlier = hs.Transfer(method="ridge").hold(replace(cloud_model.model_, uncertainty=stored))
    drift = hs.drift(earlier, clouds(100, 4)[0])
    assert drift.windows[0].says.mmd is None
    assert "features are not compared (saved by an earlier version)" in drift.notes[0]
    with pytest.raises(DataError, match="fit it again with this version"):
        hs.drift(hs.Transfer(method="ridge").hold(replace(cloud_model.model_, uncertainty=None)), log)


def test_a_regression_has_no_shares():
    rng = np.random.default_rng(0)
    x = pd.DataFrame(rng.normal(size=(120, 3)), columns=list("abc"))
    model = hs.Transfer(kind="regression", method="ridge", cache=False).fit(x, x["a"] + rng.normal(size=120))
    drift = hs.drift(model, pd.DataFrame(rng.normal(size=(60, 3)), columns=list("abc")))
    assert drift.windows[0].says.shares is None
    assert drift.notes == ()
    assert hs.drift(model, pd.DataFrame(rng.normal(3, 1, size=(60, 3)), columns=list("abc"))).p < 1e-6


def test_one_window_below_the_rate_among_many_is_chance():
    def window(p):
        return Compared("w", WindowDrift(50, Question(0.1, p), None, None))

    drift = Drift(windows=(window(0.005), *(window(0.5) for _ in range(99))), rate=0.01)
    assert drift.verdict == "no drift beyond chance: 1 of 100 windows below p 0.01, where chance makes 1"
    assert not drift.to_json()["drift"]
    drift = Drift(windows=(window(1e-9), *(window(0.5) for _ in range(99))), rate=0.01)
    assert drift.verdict.startswith("drift: 1 of 100 windows is unlike the training rows in their features (p <.0001)")
