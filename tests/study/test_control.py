"""The control from random weights: as many steps as the tuning, once a trial; and what is said where it is left out."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
from small import RESNET, bright
from torch.optim.optimizer import register_optimizer_step_post_hook

import headstart
from headstart.evidence.evidence import Evidence
from headstart.finetuning.full import Full
from headstart.methods.table import METHODS
from headstart.study.candidates import TaskCandidate

RANDOM = "random-weights"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """12 pictures of each of three classes, which differ in the channel that is brighter."""
    folder = tmp_path_factory.mktemp("pictures")
    for row in range(36):
        place = folder / "rgb"[row % 3]
        place.mkdir(exist_ok=True)
        bright(row).save(place / f"{row}.png")
    return folder


class Steps:
    """Counts the steps of torch's optimizers by who is trained, and how often a training is begun."""

    def __init__(self, monkeypatch):
        self.counts: list[tuple[str, int, int]] = []
        self._steps, self._optimizers = 0, set()
        for method in ("fit", "contend"):
            monkeypatch.setattr(TaskCandidate, method, self._watched(TaskCandidate.__dict__[method]))

    def _watched(self, does):
        def watched(candidate, *arguments):
            self._steps, self._optimizers = 0, set()
            result = does(candidate, *arguments)
            self.counts.append((candidate.name, self._steps, len(self._optimizers)))
            return result

        return watched

    def __call__(self, optimizer, arguments, options):
        self._steps += 1
        self._optimizers.add(id(optimizer))


@pytest.fixture
def steps(monkeypatch):
    counter = Steps(monkeypatch)
    handle = register_optimizer_step_post_hook(counter)
    yield counter
    handle.remove()


@pytest.mark.parametrize("method", [pytest.param(n, marks=pytest.mark.slow) for n in ("lp-ft", "gradual", "soup")])
def test_it_takes_the_steps_of_the_tuning_in_each_trial_once(pictures, steps, method):
    options = {"epochs": 3, "batch": 5, "refit": 0, "validation": 0.25, "patience": 9, "disk": 0}
    models = {"soup": {"runs": 2}}.get(method, {})
    fitted = headstart.fit(
        pictures, backbone=RESNET, method=method, options=options | models, cache=False, keep_tuned=True
    )
    assert fitted.evidence_.protocol == "5-fold cross-validation"
    tuned = [count for name, count, _ in steps.counts if name == method]
    control = [(count, trainings) for name, count, trainings in steps.counts if name == "scratch"]
    assert len(tuned) == 6, "five trials and the model that is kept"
    assert control == [(count, 1) for count in tuned[:5]]
    assert min(tuned) > 3
    assert RANDOM in fitted.evidence_.baselines
    assert fitted.model_.head.facts.steps == tuned[-1]
    parameters = {step.step: step.parameters for step in fitted.evidence_.facts.steps}
    assert parameters[RANDOM] >= parameters[method] > 0


@pytest.mark.slow
def test_a_second_training_of_the_method_is_not_the_controls(pictures, steps):
    """The steps of the first one count: those of all epochs that were tried, not of the best."""
    options = {"epochs": 3, "batch": 5, "validation": 0.25, "patience": 9, "disk": 0}
    headstart.fit(pictures, backbone=RESNET, method="fine-tune", options=options, cache=False, keep_tuned=True)
    tuned = [(count, trainings) for name, count, trainings in steps.counts if name == "fine-tune"]
    control = [(count, trainings) for name, count, trainings in steps.counts if name == "scratch"]
    rows = 36 * 4 // 5
    held_out = round(0.25 * rows)
    assert all(trainings == 2 for _, trainings in tuned)
    assert len(control) == 5
    for (both, _), (count, trainings) in zip(tuned, control, strict=False):
        assert trainings == 1
        assert count < both
        assert abs(count - 3 * -(-(rows - held_out) // 5)) <= 3, "an epoch has a step more or less with the trial"


@pytest.mark.slow
def test_a_second_fit_reads_the_control_and_the_probe(pictures, steps, tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))
    options = {"epochs": 2, "refit": 0, "disk": 0}
    told = [headstart.fit(pictures, backbone=RESNET, method="fine-tune", options=options) for _ in range(2)]
    trained = [count for name, count, _ in steps.counts if name == "scratch"]
    assert min(trained[:5]) > 0
    assert trained[5:] == [0] * 5
    first, second = (model.evidence_ for model in told)
    assert first.baselines == second.baselines
    assert [step._replace(seconds=0) for step in first.facts.steps] == [
        step._replace(seconds=0) for step in second.facts.steps
    ]


@pytest.mark.parametrize(("method", "options"), [("ridge", None), ("fine-tune", {"epochs": 1, "refit": 0, "disk": 0})])
def test_what_is_left_out_is_told(pictures, tmp_path, run, steps, method, options):
    words = [f"--option={name}={value}" for name, value in (options or {}).items()]
    told = run(
        "fit", pictures, "--backbone", RESNET, "--method", method, *words, "--out", tmp_path / "m", "--no-control"
    )  # fmt: skip
    assert told.code == 0, told.err
    assert "scratch" not in {name for name, *_ in steps.counts}
    phrase = f"left out, as was asked: {RANDOM}; what this model gains over that is not known"
    assert phrase in re.sub(r"\s+", " ", told.out)
    stored = json.loads((tmp_path / "m" / "evidence.json").read_text())
    assert stored["about"]["left_out"] == [RANDOM]
    assert RANDOM not in stored["baselines"]
    assert phrase.capitalize() in (tmp_path / "m" / "README.md").read_text()
    assert phrase in re.sub(r"\s+", " ", run("show", tmp_path / "m").out)
    loaded = headstart.Transfer.load(tmp_path / "m").evidence_
    assert loaded.facts.left_out == (RANDOM,)
    del stored["about"]["left_out"]  # as records of earlier versions are
    assert Evidence.from_json(stored).facts.left_out == ()
    stored["about"]["left_out"] = [3]
    with pytest.raises(headstart.DataError, match="left_out holds 3, expected str"):
        Evidence.from_json(stored)


def test_nothing_is_told_where_nothing_is_left_out(pictures, tmp_path):
    kept = headstart.fit(pictures, backbone=RESNET, method="ridge", cache=False)
    assert RANDOM in kept.evidence_.baselines
    assert kept.evidence_.facts.left_out == ()
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(40, 3)), columns=list("xyz")).assign(label=["a", "b"] * 20)
    columns = headstart.fit(table, method="ridge", control=False, cache=False)
    assert columns.evidence_.facts.left_out == (), "columns have no weights that could be random"
    assert "left out, as was asked" not in str(kept.evidence_) + str(columns.evidence_)


def test_with_several_targets_there_is_no_control_to_leave_out(run, tmp_path):
    (tmp_path / "rows.csv").write_text("x,a,b\n" + "\n".join(f"{row},{row % 2},{row * 2}" for row in range(30)))
    told = run("fit", tmp_path / "rows.csv", "--target", "a,b", "--out", tmp_path / "m", "--no-control")
    assert told.code == 2
    assert "--no-control is for one target, and --target names 2: a, b" in re.sub(r"\s+", " ", told.err)


def test_the_table_has_one_method_from_random_weights():
    assert [name for name, row in METHODS.items() if getattr(row, "tune", None) == Full(scratch=True)] == ["scratch"]
