"""An average as what a race keeps: where it is better beyond chance, of several heads on the same columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from headstart import Roles, Transfer
from headstart.automl.race.average import Average, AverageCandidate, on_shared_rows
from headstart.automl.race.budget import Budget
from headstart.automl.race.fit import Settings, _ready, fit_within
from headstart.automl.race.limits import Limits
from headstart.automl.race.scoring import RowLosses
from headstart.automl.race.space import Arm
from headstart.automl.race.standing import Tried
from headstart.backbones.load import load
from headstart.features.extraction import Extraction
from headstart.listener import SILENT
from headstart.methods.uncertainty import Calibration
from headstart.study.comparison import Comparison
from headstart.study.protocol import read_with_test
from headstart.study.stopwatch import Stopwatch


@pytest.fixture(scope="module")
def curved():
    """Values of which one part is linear and another is not, so that heads of two sorts each explain some."""
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(400, 6))
    values = (
        columns[:, 0] + columns[:, 1] + 1.5 * (columns[:, 2] > 0) * (columns[:, 3] > 0) + 0.5 * rng.normal(size=400)
    )
    frame = pd.DataFrame(columns, columns=list("abcdef"))
    return frame.assign(value=values)


def test_it_is_kept_in_one_folder_and_answers_as_it_was_tested(curved, tmp_path):
    fitted = fit_within(curved, budget="1h", methods=["trees", "kernel"], roles=Roles(target="value"))
    race = fitted.evidence_.facts.race
    assert race.winner.startswith("an average of")
    assert sum(race.weights.values()) == pytest.approx(1.0)
    single = [trial for trial in race.trials if trial.name in ("probe", "trees", "kernel")]
    assert all(trial.gain > 0 for trial in single)
    loaded = Transfer.load(fitted.save(tmp_path / "model"))
    inputs = curved.drop(columns="value")
    np.testing.assert_allclose(loaded.predict(inputs), fitted.predict(inputs), rtol=1e-12)
    assert len(loaded.model_.members) == len(race.weights)
    assert [member.weight for member in loaded.model_.members] == pytest.approx(list(race.weights.values()))
    truth = curved["value"]
    assert np.corrcoef(loaded.predict(inputs), truth)[0, 1] > 0.8


def answered(rows, scale):
    """What a member says of these rows, None for all of six: `scale` times their numbers; the target is the number."""
    some = np.arange(6) if rows is None else np.array(rows)
    return Calibration(np.stack([scale * some, -scale * some], axis=1), some, some, None if rows is None else some)


@pytest.mark.parametrize(
    ("rows", "shared"),
    [((None, None), range(6)), ((None, [4, 1]), [1, 4]), (([5, 2, 0], [0, 2, 3]), [0, 2]), (([1], [2]), [])],
)
def test_answers_are_averaged_on_rows_that_all_members_answered(rows, shared):
    (first, second), targets = on_shared_rows([answered(rows[0], 1.0), answered(rows[1], 10.0)])
    assert targets.tolist() == list(shared)
    assert first[:, 0].tolist() == list(shared)
    assert second[:, 1].tolist() == [-10.0 * number for number in shared]


def test_heads_and_networks_that_moved_are_averaged():
    words = {"good": "great fine lovely excellent superb nice", "bad": "awful poor terrible broken nasty useless"}
    frame = pd.DataFrame(
        [(f"it was {word} and {other}", label) for label, some in words.items() for word in some.split()
         for other in some.split()],
        columns=["text", "label"],
    )  # fmt: skip
    network = load("bundled:wordllama")
    settings = Settings(None, None, 0, None, False, Limits(None, None))
    task, _ = read_with_test(frame, None, Roles(), None, False, SILENT)
    ready = _ready(task, (network,), settings, Extraction(cache=None), Budget(600.0), None, [], SILENT)
    nothing = RowLosses(np.zeros(0), None)
    heads = Tried(Arm(network.name, "probe"), 0, {}, nothing)
    moved = Tried(Arm(network.name, "lp-ft", 2), 0, {"epochs": 1, "lr": 1e-4}, nothing)
    average = Average((heads, moved), {heads.name: 0.75, moved.name: 0.25}, nothing, None)
    candidate = AverageCandidate(ready, average)
    model, evidence = Comparison(candidate, {}, ready.trials, Stopwatch(), {}, None).run()
    assert [member.weight for member in model.members] == [0.75, 0.25]
    assert evidence.metrics["accuracy"].value > 0.5
    fitted = candidate.fit(ready.train)
    calibration = candidate.calibration(fitted, ready.train)
    assert 0 < len(fitted[1].held_out.rows) == len(calibration.targets) < len(ready.train)
