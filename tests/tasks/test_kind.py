"""A kind of task is a value: the three that there are, and one that only this file knows."""

import copy
import json
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import xlogy
from sklearn.metrics import d2_tweedie_score, mean_absolute_error

import headstart
from headstart.heads import HEADS, Ridge
from headstart.methods.probe import Probe
from headstart.methods.table import METHODS
from headstart.tasks import CLASSIFICATION, KINDS, MULTILABEL, REGRESSION, Kind, Task, kind_named, register_kind


class Count(Kind):
    """How often something happens: whole numbers from 0 up, of which the head learns log(1 + y)."""

    __slots__ = ()
    dtype = np.float64
    has_classes = False
    metrics = ("d2", "mae")
    summary = ("d2", "mae")
    headline = "d2"

    def outputs(self, classes: int) -> int:
        return 1

    def shape(self, rows: int, classes: int) -> tuple[int, ...]:
        return (rows,)

    def known(self, targets):
        return np.isfinite(targets)

    def unknown(self, shape, dtype):
        return np.full(shape, np.nan, dtype)

    def strata(self, targets):
        return np.arange(len(targets)), np.clip(targets, 0, 3).astype(np.int64)

    def constant(self, targets, classes: int, rows: int):
        return np.full(rows, float(np.mean(targets)))

    def in_words(self, target: Any, classes):
        return None if target != target else round(float(target), 3)

    def truth(self, targets, classes: int):
        return np.log1p(targets)[:, None]

    def checked(self, targets, classes: int):
        if (targets < 0).any() or (targets % 1).any():
            raise ValueError("targets of a count must be whole numbers from 0 up")
        return targets.astype(np.float64)

    def probabilities(self, logits, temperature: float):
        return np.maximum(np.expm1(logits[:, 0]), 1e-3)

    def decide(self, predictions):
        return predictions

    def row_losses(self, logits, targets, *, label_smoothing: float):
        return torch.nn.functional.poisson_nll_loss(logits[:, 0], targets.float(), reduction="none")

    def tally(self, targets, predictions):
        deviance = 2 * (xlogy(targets, targets / predictions) - targets + predictions)
        return np.stack([np.ones(len(targets)), deviance, np.abs(targets - predictions), targets,
                         xlogy(targets, targets)], axis=1)  # fmt: skip

    def scores(self, sums):
        rows, deviance, absolute, y, y_log_y = sums
        return {"d2": 1 - deviance / (2 * (y_log_y - xlogy(y, y / rows))), "mae": absolute / rows}

    def task(self, inputs: str, classes: int) -> str:
        return f"counts events from {inputs}"


COUNT = Count("count")


@dataclass(frozen=True, kw_only=True)
class CountRidge(Ridge):
    """Ridge regression of log(1 + y)."""

    kinds: ClassVar[tuple[Kind, ...]] = (COUNT,)


@pytest.fixture
def count(monkeypatch):
    monkeypatch.setitem(KINDS, "count", COUNT)
    monkeypatch.setitem(HEADS, "counts", CountRidge)
    monkeypatch.setitem(METHODS, "counts", Probe("frozen features, ridge on log(1 + y)", ("counts",)))


def visits(rows: int = 300) -> pd.DataFrame:
    """How often somebody comes depends on two of three columns."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, 3))
    return pd.DataFrame(X, columns=["a", "b", "c"]).assign(
        visits=rng.poisson(np.exp(0.9 * X[:, 0] - 0.5 * X[:, 1] + 1))
    )


def test_a_kind_that_only_this_file_knows_is_fitted_judged_stored_and_asked(count, run, tmp_path):
    data, new = visits(), visits(400).iloc[300:]
    data["split"] = np.where(np.arange(len(data)) % 3, "train", "test")
    data.to_csv(tmp_path / "data.csv", index=False)
    new.to_csv(tmp_path / "new.csv", index=False)
    words = ("--target", "visits", "--kind", "count", "--method", "counts")
    fitted = run("fit", tmp_path / "data.csv", *words, "--out", tmp_path / "model", "--json")
    assert fitted.code == 0, fitted.err
    evidence = json.loads(fitted.out)
    assert (evidence["kind"], set(evidence["metrics"])) == ("count", {"d2", "mae"})
    assert evidence["metrics"]["d2"]["value"] > 0.4
    assert evidence["baselines"]["majority"]["d2"]["value"] < 0.1
    assert evidence["verdict"] in ("helps", "hurts", "cannot tell")
    model = headstart.Transfer.load(tmp_path / "model")
    answers = model.predict(new[["a", "b", "c"]])
    measured = run("evaluate", tmp_path / "model", tmp_path / "new.csv", "--json").json["metrics"]
    assert measured["d2"]["value"] == pytest.approx(d2_tweedie_score(new["visits"], answers, power=1))
    assert measured["mae"]["value"] == pytest.approx(mean_absolute_error(new["visits"], answers))
    assert "counts events from table rows" in (tmp_path / "model" / "README.md").read_text("utf-8")
    assert json.loads((tmp_path / "model" / "config.json").read_text("utf-8"))["kind"] == "count"


def test_what_is_no_target_of_the_kind_is_refused_in_its_words(count):
    with pytest.raises(ValueError, match="targets of a count must be whole numbers from 0 up"):
        headstart.Transfer(method="counts", kind="count").fit(visits()[["a", "b", "c"]], visits()["visits"] - 1.5)


def test_a_head_that_does_not_know_the_kind_is_refused(count):
    with pytest.raises(
        ValueError, match="the ridge head answers classification and multilabel and regression tasks, not count"
    ):
        headstart.Transfer(method="ridge", kind="count").fit(visits()[["a", "b", "c"]], visits()["visits"])


@pytest.mark.parametrize("kind", [CLASSIFICATION, REGRESSION, MULTILABEL])
def test_a_kind_is_one_value_that_is_stored_as_its_name(kind):
    rebuild, arguments = kind.__reduce__()
    assert rebuild(*arguments) is copy.deepcopy(kind) is kind_named(str(kind)) is kind
    assert json.dumps({"kind": kind}) == f'{{"kind": "{kind!s}"}}'
    assert Task(inputs=["a"], targets=None, kind=str(kind), modality="text").kind is kind
    assert set(kind.summary) <= set(kind.metrics)
    assert kind.headline in kind.metrics


@pytest.mark.parametrize("kind", [CLASSIFICATION, REGRESSION])
def test_what_is_not_known_is_known_to_be_so(kind):
    targets = np.array([2, 0, 1], kind.dtype)
    assert kind.known(targets).all()
    assert not kind.known(kind.unknown(4, kind.dtype)).any()
    assert kind.unknown((2, 3), kind.dtype).shape == (2, 3)
    assert kind.in_words(kind.unknown(1, kind.dtype)[0], ("a", "b", "c")) is None


def test_answers_in_words():
    assert CLASSIFICATION.in_words(CLASSIFICATION.decide(np.array([0.1, 0.7, 0.2])), ("a", "b", "c")) == "b"
    assert MULTILABEL.in_words(MULTILABEL.decide(np.array([0.5, 0.4, 0.9])), ("a", "b", "c")) == ["a", "c"]
    assert REGRESSION.in_words(REGRESSION.decide(np.float64(1.5)), ()) == 1.5


def test_rows_of_each_class():
    assert CLASSIFICATION.counts(np.array([0, 2, -1, 2]), 4).tolist() == [1, 0, 2, 0]
    assert MULTILABEL.counts(np.array([[1, 0], [1, 1]], np.uint8), 2).tolist() == [2, 1]
    assert REGRESSION.counts(np.array([1.0]), 0).tolist() == []


def test_a_name_that_no_kind_has():
    with pytest.raises(ValueError, match="kind must be 'classification', 'regression' or 'multilabel', got 'ranking'"):
        kind_named("ranking")


def test_a_kind_that_lacks_something_is_refused_when_it_is_registered():
    class Bare(Kind):
        __slots__ = ()
        has_classes = False

    with pytest.raises(TypeError, match=r"kind 'bare' lacks .*known, .*unknown, tally, scores: define them"):
        register_kind(Bare("bare"))
    assert "bare" not in KINDS


def test_registering_makes_a_kind_known(monkeypatch):
    monkeypatch.setattr("headstart.tasks.kind.KINDS", {})
    assert register_kind(COUNT) is kind_named("count") is COUNT
