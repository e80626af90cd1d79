"""Who hears what: curves of epochs, evidence at the end, and a service that fails ends no fit."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pandas as pd
import pytest

import headstart as hs
from headstart.listener import SILENT, CurveListener
from headstart.tracking.destination import destination_of
from headstart.tracking.figures import figures_of, words_of
from headstart.tracking.tracked import tracked


class Recorded:
    """A run that keeps what it is told, and fails at the call that is named."""

    def __init__(self, fails: str = "") -> None:
        self.fails, self.calls = fails, []

    def _call(self, name, *given):
        self.calls.append((name, *given))
        if name == self.fails:
            raise OSError("no space left on device")

    def parameters(self, words):
        self._call("parameters", dict(words))

    def figures(self, values, step):
        self._call("figures", dict(values), step)

    def text(self, name, words):
        self._call("text", name, words)

    def file(self, path):
        self._call("file", path.name)

    def end(self, outcome):
        self._call("end", outcome)


def begun(monkeypatch, run):
    """A tracking whose service is the run, and what it warns of."""
    monkeypatch.setattr("headstart.tracking.destination.SERVICES", {"tensorboard": lambda where: run})
    warned = []
    return tracked("tensorboard:here", SILENT, warned.append), warned


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(size=(120, 3)), columns=["a", "b", "c"])
    return rows.assign(label=np.where(rows["a"] + 0.2 * rng.normal(size=120) > 0, "yes", "no"))


@pytest.fixture(scope="module")
def plain(table):
    """A fit that is not tracked."""
    return hs.fit(table, method="ridge")


def test_only_a_listener_with_curves_hears_of_losses(monkeypatch):
    tracking, _ = begun(monkeypatch, Recorded())
    assert isinstance(tracking.listener, CurveListener)
    assert not isinstance(SILENT, CurveListener)
    assert tracked(None, SILENT, print).listener is SILENT


def test_epochs_of_all_stages_are_counted_on_and_a_second_training_is_another_curve(monkeypatch):
    run = Recorded()
    tracking, _ = begun(monkeypatch, run)
    for stage, epoch in [(0, 0), (0, 1), (1, 0), (0, 0)]:
        tracking.listener.epoch("gradual", stage, epoch, {"train": stage + epoch / 8, "val": float("nan")})
    assert run.calls == [
        ("figures", {"gradual/train": 0.0}, 0),
        ("figures", {"gradual/train": 0.125}, 1),
        ("figures", {"gradual/train": 1.0}, 2),
        ("figures", {"gradual 2/train": 0.0}, 0),
    ]


@pytest.mark.parametrize(
    ("error", "outcome"), [(None, "FINISHED"), (ValueError, "FAILED"), (KeyboardInterrupt, "KILLED")]
)
def test_a_run_says_how_the_fit_ended(monkeypatch, error, outcome):
    run = Recorded()
    tracking, _ = begun(monkeypatch, run)
    with suppress(ValueError, KeyboardInterrupt), tracking:
        if error is not None:
            raise error
    assert run.calls[-1] == ("end", outcome)


def test_a_service_that_fails_is_told_of_once_and_asked_no_more(monkeypatch):
    run = Recorded(fails="figures")
    tracking, warned = begun(monkeypatch, run)
    with tracking:
        tracking.asked({"seed": 3})
        for epoch in range(3):
            tracking.listener.epoch("full", 0, epoch, {"train": 1.0})
    assert [name for name, *_ in run.calls] == ["parameters", "figures"]
    assert warned == [
        "tracking to tensorboard:here ended: no space left on device. The fit goes on, and nothing more of it is "
        "written there."
    ]


def test_a_fit_with_a_service_that_fails_is_the_fit_without(monkeypatch, table, plain):
    monkeypatch.setattr("headstart.tracking.destination.SERVICES", {"mlflow": lambda where: Recorded("text")})
    with pytest.warns(RuntimeWarning, match="tracking to mlflow:x ended: no space left"):
        model = hs.fit(table, method="ridge", track="mlflow:x")
    assert model.evidence_.metrics == plain.evidence_.metrics


def test_figures_are_those_of_the_evidence_with_the_ends_of_their_intervals(plain):
    evidence = plain.evidence_
    figures = figures_of(evidence)
    score = evidence.metrics["accuracy"]
    assert (figures["accuracy"], figures["accuracy.low"], figures["accuracy.high"]) == tuple(score)
    assert figures["majority/accuracy"] == evidence.baselines["majority"]["accuracy"].value
    assert (figures["rows/train"], figures["rows/test"]) == (evidence.n_train, evidence.n_test)
    assert all(np.isfinite(list(figures.values())))


def test_options_become_words(tmp_path):
    options = {"data": pd.DataFrame(), "out": tmp_path, "seed": 0, "goal": None, "window": (0, 255), "listener": SILENT}
    assert words_of(options | {"options": {"epochs": 3}, "track": "mlflow:http://me:secret@host"}) == {
        "data": "DataFrame", "out": str(tmp_path), "seed": "0", "window": "0,255", "options.epochs": "3",
    }  # fmt: skip


@pytest.mark.parametrize("words", ["wandb:x", "mlflow", "mlflow:", "runs", ""])
def test_words_that_name_no_place_are_refused(words, table):
    with pytest.raises(ValueError, match=r"says no place to track to: expected mlflow:URI"):
        hs.fit(table, track=words or ":")


def test_a_password_is_in_no_message():
    destination = destination_of("mlflow:https://me:secret@host:5000")
    assert str(destination) == "mlflow:https://host:5000"
    assert destination.remote
    assert not destination_of("mlflow:sqlite:///runs.db").remote


@pytest.mark.parametrize("service", ["mlflow", "tensorboard"])
def test_a_missing_package_is_named_with_its_extra(service, monkeypatch, table, tmp_path):
    for module in ("mlflow", "torch.utils.tensorboard"):
        monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(ImportError, match=rf"{service} is missing: pip install 'headstart\[track\]'"):
        hs.fit(table, track=f"{service}:{tmp_path / 'runs'}")


@pytest.mark.parametrize("service", ["mlflow", "tensorboard"])
def test_a_folder_that_cannot_be_made_is_an_error_before_any_work(service, table, tmp_path):
    pytest.importorskip("mlflow" if service == "mlflow" else "torch.utils.tensorboard")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ValueError, match=rf"{service}:.*cannot be written to"):
        hs.fit(table, track=f"{service}:{tmp_path / 'file' / 'runs'}")
