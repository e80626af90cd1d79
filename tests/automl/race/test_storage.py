"""Trials on the disk: they come back bit for bit, whoever was killed; another race, another file, a damaged one."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from headstart.automl.race.look import look_at
from headstart.automl.race.space import Arm, Choice, Range
from headstart.automl.race.storage import FILE, TrialStore, race_folder, running
from headstart.errors import RaceError
from headstart.tasks.goal import Decided

ARM = Arm(
    "net", "lp-ft", 2,
    {"lr": Range(1e-5, 1e-3, log=True), "epochs": Range(3, 12, whole=True), "augment": Choice((True, False))},
    ({"lr": 1e-4, "epochs": 6, "augment": True}, {"lr": 3e-5, "epochs": 6, "augment": False}),
)  # fmt: skip
HOLDER = """
import sys, time
from pathlib import Path
from headstart.automl.race.storage import TrialStore
TrialStore(Path(sys.argv[1]), "content", 0)
print("locked", flush=True)
time.sleep(600)
"""


def answers(seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(3), 20)


def test_answers_and_settings_come_back(tmp_path):
    decided = Decided(answers(1), answers(1).argmax(axis=1))
    with TrialStore(tmp_path, "content", 0) as store:
        first, second = store.ask(ARM), store.ask(ARM)
        store.keep(ARM, first.number, 0, answers(), 1.5)
        store.keep(ARM, first.number, 2, decided, 2.5)
        store.tell(ARM, first.number, 0.4)
        store.fail(ARM, second.number, "ran away")
    assert first.options == ARM.begin[0]
    assert second.options == ARM.begin[1]
    with TrialStore(tmp_path, "content", 0) as store:
        tried, other = store.earlier(ARM)
        third = store.ask(ARM)
    assert tried.options == first.options
    np.testing.assert_array_equal(tried.folds[0][0], answers().astype(np.float32))
    assert tried.folds[0][1] == 1.5
    np.testing.assert_array_equal(tried.folds[2][0].decisions, decided.decisions)
    assert (other.why, other.folds) == ("ran away", {})
    assert third.number == 2
    assert 1e-5 <= third.options["lr"] <= 1e-3


def test_the_sampler_goes_where_losses_were_low(tmp_path):
    arm = ARM._replace(searched={"lr": Range(0.0, 1.0)}, begin=({"lr": 0.5},))
    with TrialStore(tmp_path, "content", 0) as store:
        asked = [store.ask(arm)]
        for _ in range(39):
            store.tell(arm, asked[-1].number, (asked[-1].options["lr"] - 0.2) ** 2)
            asked.append(store.ask(arm))
    late = [setting.options["lr"] for setting in asked[20:]]
    assert np.median(np.abs(np.array(late) - 0.2)) < 0.15  # .28 of numbers drawn evenly


def test_what_was_cut_off_counts_as_failed(tmp_path):
    with TrialStore(tmp_path, "content", 0) as store:
        store.ask(ARM)
    with TrialStore(tmp_path, "content", 0) as store:
        (stored,) = store.earlier(ARM)
    assert stored.why == "it was cut off"


@pytest.mark.parametrize("damage", ["words", "cut", "holes"])
def test_a_damaged_file_is_set_aside_by_name(tmp_path, damage):
    for number in (1, 2):
        with TrialStore(tmp_path, "content", 0) as store:
            store.ask(ARM)
        path = tmp_path / FILE
        whole = path.read_bytes()
        middle = len(whole) // 2
        changed = {
            "words": b"no database",
            "cut": whole[:middle],
            "holes": whole[:4096] + bytes(len(whole) - 8192) + whole[-4096:],
        }
        path.write_bytes(changed[damage])
        with TrialStore(tmp_path, "content", 0) as store:
            assert store.set_aside == [f"{FILE}.damaged-{number}"]
            assert store.earlier(ARM) == []
        assert (tmp_path / f"{FILE}.damaged-{number}").read_bytes() == changed[damage]


def test_trials_of_other_data_are_set_aside(tmp_path):
    with TrialStore(tmp_path, "content", 0) as store:
        store.ask(ARM)
    with TrialStore(tmp_path, "other content", 0) as store:
        assert store.set_aside == [f"{FILE}.other-1"]
        assert store.earlier(ARM) == []
    assert look_at(str(tmp_path)).set_aside == (f"{FILE}.other-1",)


def test_two_races_on_one_folder_do_not_mix(tmp_path):
    with TrialStore(tmp_path, "content", 0):
        assert running(tmp_path)
        with pytest.raises(RaceError, match=r"another race runs on .*wait for its end"):
            TrialStore(tmp_path, "content", 0)
        assert look_at(str(tmp_path)).running
    assert not running(tmp_path)
    TrialStore(tmp_path, "content", 0).close()


@pytest.mark.slow
def test_a_process_that_is_killed_lets_go_of_its_race(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout.readline() == "locked\n"
            assert running(tmp_path)
            with pytest.raises(RaceError, match=r"another race runs on .*wait for its end"):
                TrialStore(tmp_path, "content", 0)
            assert look_at(str(tmp_path)).running
        finally:
            holder.kill()
    assert not running(tmp_path)
    TrialStore(tmp_path, "content", 0).close()


def test_it_is_looked_at_from_outside_and_not_written(tmp_path):
    model = tmp_path / "model"
    with TrialStore(race_folder(model), "content", 0) as store:
        asked = store.ask(ARM)
        store.keep(ARM, asked.number, 0, answers(), 1.5)
        store.tell(ARM, asked.number, 0.4)
        failed = store.ask(ARM)
        store.fail(ARM, failed.number, "ran away")
        store.ask(ARM)
        before = (race_folder(model) / FILE).read_bytes()
        view = look_at(str(model))
        assert (race_folder(model) / FILE).read_bytes() == before
    assert view.running
    assert [row.state for row in view.rows] == ["tried", "failed", "running"]
    tried, failed_row, _ = view.rows
    assert (tried.loss, tried.folds, tried.seconds) == (0.4, 1, 1.5)
    assert tried.options == ARM.begin[0]
    assert failed_row.why == "ran away"
    assert "lp-ft on net, trial 0" in str(view)
    assert view.to_json()["rows"][0]["loss"] == 0.4


def test_there_is_no_race_where_none_was(tmp_path):
    with pytest.raises(RaceError, match=r"there is no race at .*--budget 10m"):
        look_at(str(tmp_path / "model"))
    folder = race_folder(tmp_path / "model")
    folder.mkdir()
    (folder / FILE).write_text("no database")
    with pytest.raises(RaceError, match=r"cannot be read .*sets it aside"):
        look_at(str(tmp_path / "model"))
