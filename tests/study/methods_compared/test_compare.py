"""Methods beside each other on the same rows: figures are those of `fit`, costs those of the fit that was timed, what
fails or is interrupted leaves the others, and what cannot be is refused with words."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch
from small import RESNET, bright

import headstart
from headstart import DataError, Roles
from headstart.errors import TrainingError
from headstart.evidence.intervals import ALPHA, Interval
from headstart.listener import Logged
from headstart.methods.finetune import FineTune
from headstart.study.methods_compared.record import Interrupted

FAST = {"epochs": 2, "precision": "float32", "disk": 0, "patience": 9}
ALL = ["no-transfer", "scratch", "probe", "top", "gradual", "fine-tune", "lp-ft", "l2-sp"]
MOVING = ["scratch", "top", "gradual", "fine-tune", "lp-ft", "l2-sp"]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Of three classes, that of the brighter channel: 30 pictures to learn from and 30 to be tested on."""
    folder = tmp_path_factory.mktemp("pictures")
    for row in range(60):
        place = folder / ("train" if row < 30 else "test") / "rgb"[row % 3]
        place.mkdir(parents=True, exist_ok=True)
        bright(row).save(place / f"{row}.png")
    return folder


@pytest.fixture(scope="module")
def compared(pictures):
    return headstart.compare(pictures, backbone=RESNET, options=FAST, engine="torch")


class Said(Logged):
    """A listener that keeps lines, and may end the run as a user would."""

    def __init__(self, stop="never"):
        super().__init__()
        self.lines, self.stop = [], stop

    def say(self, line):
        self.lines.append(line)

    def progress(self, stage, done, total):
        if stage == self.stop:
            raise KeyboardInterrupt


def of_fit(pictures, method):
    """What `fit` says of it on the same rows, calculated anew."""
    common = {"backbone": RESNET, "engine": "torch", "cache": False, "control": False}
    if method == "probe":
        return headstart.fit(pictures, method=method, **common).evidence_
    return headstart.fit(pictures, method=method, options=FAST, keep_tuned=True, **common).evidence_


def same(interval, other):
    np.testing.assert_allclose(interval, other, atol=1e-9)


@pytest.mark.parametrize(
    "method", ["probe", "top", "l2-sp", *(pytest.param(n, marks=pytest.mark.slow) for n in ("scratch", "gradual"))]
)
def test_scores_and_gains_are_those_of_a_fit(pictures, compared, method):
    evidence, row = of_fit(pictures, method), compared[method]
    assert evidence.headline == compared.metric == "accuracy"
    for metric, score in evidence.metrics.items():
        same(row.scores[metric], score)
    same(row.over_no_transfer, evidence.assessment.gains["no-transfer"].interval)
    same(compared["no-transfer"].scores["accuracy"], evidence.baselines["no-transfer"]["accuracy"])
    if method == "probe":
        assert row.over_probe is None
    else:
        same(row.over_probe, evidence.assessment.gains["probe"].interval)
        head = evidence.facts.model.head
        assert (row.cost.parameters, row.cost.steps) == (head["parameters"], head["steps"])


def test_the_score_is_the_share_of_pictures_that_a_model_of_its_own_answers(pictures, compared):
    train = sorted((pictures / "train").rglob("*.png"))
    model = headstart.Transfer(RESNET, "lp-ft", options=FAST, engine="torch", cache=False)
    model.fit([str(path) for path in train], [path.parent.name for path in train])
    test = sorted((pictures / "test").rglob("*.png"))
    right = model.predict([str(path) for path in test]) == [path.parent.name for path in test]
    assert compared["lp-ft"].scores["accuracy"].value == pytest.approx(right.mean())


def test_it_has_a_row_each_in_the_order_of_what_moves(compared):
    assert [row.name for row in compared.rows] == ALL
    assert [row.name for row in compared.rows if row.moves] == MOVING
    assert (compared.n_train, compared.n_test, compared.trials) == (30, 30, 1)
    learnt = {row.name: row.cost.parameters for row in compared.rows}
    assert learnt["probe"] < learnt["top"] < learnt["gradual"] <= learnt["fine-tune"]
    assert learnt["fine-tune"] == learnt["lp-ft"] == learnt["l2-sp"] == learnt["scratch"]
    assert learnt["no-transfer"] == -1
    assert all(row.cost.seconds > 0 and row.cost.cpu_seconds > 0 for row in compared.rows)
    steps = {name: compared[name].cost.steps for name in MOVING}
    assert steps["top"] == steps["fine-tune"] == steps["scratch"] == steps["l2-sp"] < steps["gradual"]
    assert compared["probe"].cost.steps == 0


def test_the_page_fits_the_terminal_and_answers(compared):
    page = str(compared)
    assert max(map(len, page.splitlines())) <= 79
    first = page.split("\n\n")[0].replace("\n", " ")
    assert "ransfer" in first.split(":")[0]
    assert "weights" in first
    table = page.split("\n\n")[2].splitlines()
    assert [line[2:].split()[0] for line in table[1:9]] == ALL
    assert next(line for line in table if line.startswith("* ")).startswith(f"* {compared.judged.best} ")
    assert "runner-up" in page
    assert "at most 2 epochs a stage, 20 % of the rows say when it ends" in " ".join(page.split())
    assert "left out: direct, since the pretrained classifier does not know" in " ".join(page.split())


def test_json_says_all_of_it(compared):
    record = json.loads(json.dumps(compared.to_json(), allow_nan=False))
    assert [row["name"] for row in record["methods"]] == ALL
    row = record["methods"][3]
    assert Interval(**row["scores"]["accuracy"]) == compared["top"].scores["accuracy"]
    assert row.keys() >= {"seconds", "cpu_seconds", "parameters", "steps", "cached", "over_probe", "about"}
    assert record["methods"][2]["over_probe"] is None
    assert record["best"] == compared.judged.best
    assert record["answer"] in " ".join(str(compared).split())
    assert record["left_out"][0]["names"] == ["direct"]
    assert (record["failed"], record["unfinished"]) == ([], None)


def test_a_second_run_fits_nothing_and_says_what_it_took_then(pictures, compared, monkeypatch):
    def never(*arguments):
        raise AssertionError("fitted again")

    monkeypatch.setattr(FineTune, "fit", never)
    listener = Said()
    again = headstart.compare(pictures, backbone=RESNET, options=FAST, engine="torch", listener=listener)
    assert all(row.cached for row in again.rows)
    assert not any(row.cached for row in compared.rows)
    assert [replace_cached(row) for row in again.rows] == list(compared.rows)
    assert again.judged == compared.judged
    assert "cached" in str(again)
    assert not [line for line in listener.lines if line.startswith("weights move next")]


def replace_cached(row):
    return row._replace(cached=False)


def test_options_of_the_training_are_part_of_what_is_kept(pictures, compared):
    other = headstart.compare(pictures, methods=["top"], backbone=RESNET, options=FAST | {"epochs": 1}, engine="torch")
    assert not other["top"].cached
    assert other["probe"].cached
    assert [row.name for row in other.rows] == ["no-transfer", "probe", "top"]
    assert other["top"].cost.steps < compared["top"].cost.steps


def test_without_a_cache_everything_is_fitted(pictures, compared):
    made = headstart.compare(pictures, methods=["ridge"], backbone=RESNET, engine="torch", cache=False)
    assert [(row.name, row.cached) for row in made.rows] == [
        ("no-transfer", False), ("probe", False), ("ridge", False),
    ]  # fmt: skip
    assert "No weights" not in str(made)
    assert made.rule == ""


def test_what_is_to_be_trained_is_said_with_a_time_before_it_is(pictures):
    listener = Said()
    headstart.compare(
        pictures, methods=["top"], backbone=RESNET, options=FAST | {"epochs": 1},
        engine="torch", cache=False, listener=listener,
    )  # fmt: skip
    said = next(line for line in listener.lines if line.startswith("weights move next"))
    assert said.startswith("weights move next: top: at most ")
    assert "by steps of" in said
    assert listener.lines.index(said) < next(n for n, line in enumerate(listener.lines) if line.startswith("  top: "))


@pytest.mark.slow
def test_an_interrupt_leaves_what_is_finished_and_the_next_run_goes_on(pictures, tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))
    common = {"methods": ["top", "lp-ft"], "backbone": RESNET, "options": FAST, "engine": "torch"}
    with pytest.raises(KeyboardInterrupt) as stopped:
        headstart.compare(pictures, listener=Said("lp-ft: steps"), **common)
    partial = stopped.value.partial
    assert isinstance(stopped.value, Interrupted)
    assert [row.name for row in partial.rows] == ["no-transfer", "probe", "top"]
    assert partial.unfinished == ("lp-ft",)
    assert str(partial).startswith("PARTIAL: interrupted before lp-ft.")
    assert partial.to_json()["unfinished"] == ["lp-ft"]
    whole = headstart.compare(pictures, **common)
    assert {row.name: row.cached for row in whole.rows} == {
        "no-transfer": True, "probe": True, "top": True, "lp-ft": False,
    }  # fmt: skip
    assert whole["top"].cost == partial["top"].cost
    assert whole.unfinished is None


def test_an_interrupt_before_anything_is_finished_is_an_interrupt(pictures):
    class Early(Said):
        def say(self, line):
            if line.startswith("comparing"):
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as stopped:
        headstart.compare(pictures, backbone=RESNET, engine="torch", cache=False, listener=Early())
    assert not isinstance(stopped.value, Interrupted)


def test_weights_that_run_away_are_named_and_the_others_go_on(pictures):
    made = headstart.compare(
        pictures, methods=["scratch"], backbone=RESNET, engine="torch", cache=False,
        options=FAST | {"lr": 1e30, "clip": 0, "optimizer": "sgd", "validation": 0},
    )  # fmt: skip
    assert [row.name for row in made.rows] == ["no-transfer", "probe"]
    assert [each.name for each in made.failed] == ["scratch"]
    assert "not finite" in made.failed[0].why
    page = " ".join(str(made).split())
    assert f"1 of 3 failed: scratch: {made.failed[0].why}" in page


@pytest.mark.slow
def test_memory_that_runs_out_is_named_and_other_errors_are_not_hidden(pictures, monkeypatch):
    real = FineTune.fit

    def fails(error):
        def fit(self, plan, data, source=None):
            if plan.method == "top" and data.steps is None:
                raise error
            return real(self, plan, data, source)

        return fit

    common = {"methods": ["top", "lp-ft"], "backbone": RESNET, "options": FAST, "engine": "torch", "cache": False}
    for error in (torch.OutOfMemoryError("no memory left"), MemoryError(), TrainingError("no memory left")):
        monkeypatch.setattr(FineTune, "fit", fails(error))
        made = headstart.compare(pictures, **common)
        assert [row.name for row in made.rows] == ["no-transfer", "probe", "lp-ft"]
        assert [(each.name, each.why) for each in made.failed] == [("top", str(error) or "MemoryError")]
    monkeypatch.setattr(FineTune, "fit", fails(RuntimeError("a mistake of ours")))
    with pytest.raises(RuntimeError, match="a mistake of ours"):
        headstart.compare(pictures, **common)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"methods": ["tpo"]}, r"method 'tpo' is unknown; nearest: top; expected some of no-transfer, direct, probe"),
        ({"methods": ["top+l3-sp"]}, "method 'l3-sp' is unknown; nearest: l2-sp"),
        ({"methods": ["distil"]}, "method 'distil' learns from a teacher: headstart distil"),
        ({"methods": ["dwa"]}, "weighs the losses of several targets, and a comparison is of one"),
        ({"methods": ["coral"]}, "method 'coral' draws on a source task: give one as source"),
        ({"methods": []}, "methods: none is named"),
        ({"options": {"alpha": 1}}, "option 'alpha' is not of every method that moves weights"),
        ({"options": {"epoch": 1}}, "nearest: epochs"),
        ({"options": {"epochs": 0}}, "epochs"),
        ({"goal": "r2"}, "r2 is no score of a classification task"),
        ({"methods": ["direct"]}, "'direct' cannot be compared here: the pretrained classifier does not know"),
    ],
)
def test_what_cannot_be_compared_is_refused(pictures, options, match):
    with pytest.raises(ValueError, match=match):
        headstart.compare(pictures, backbone=RESNET, engine="torch", **options)


def test_data_that_cannot_be_compared_on_are_refused(tmp_path):
    table = pd.DataFrame({"a": np.arange(40.0), "label": ["x"] * 40})
    with pytest.raises(DataError, match="class"):
        headstart.compare(table, roles=Roles(target="label"))
    with pytest.raises(DataError):
        headstart.compare(table[:2].assign(label=["x", "y"]), roles=Roles(target="label"))
    bare = table.assign(label=[None] * 40)
    with pytest.raises(DataError, match="nothing can be tested on it"):
        headstart.compare(bare, source=table.assign(label=["x", "y"] * 20), roles=Roles(target="label"))
    with pytest.raises(ValueError, match="weights of rows have no use with a source"):
        headstart.compare(table, source=table, roles=Roles(target="label", weight="a"))


def rows_of(seed, count, by=0.0):
    """Three columns, of which two tell the class."""
    x = np.random.default_rng(seed).normal(by, 1.0, (count, 3))
    return pd.DataFrame(x, columns=["a", "b", "c"]).assign(label=np.where(x[:, 0] + x[:, 1] > 2 * by, "yes", "no"))


def test_of_tables_those_whose_weights_would_move_are_left_out_in_words():
    made = headstart.compare(rows_of(0, 60), roles=Roles(target="label"), methods=None)
    assert [row.name for row in made.rows] == ["no-transfer", "probe"]
    assert made.trials == 5
    assert made.protocol == "5-fold cross-validation"
    words = " ".join(str(made).split())
    assert "left out: scratch, top, gradual, fine-tune, lp-ft, l2-sp, since a table has no weights that move" in words
    assert "Nothing was transferred" in words
    with pytest.raises(ValueError, match="'top' cannot be compared here: a table has no weights that move"):
        headstart.compare(rows_of(0, 60), roles=Roles(target="label"), methods=["top"])


def test_with_a_source_what_draws_on_it_stands_beside_the_others():
    target = rows_of(1, 40, by=0.3).assign(split=np.where(np.arange(40) % 2, "train", "test"))
    source, roles = rows_of(2, 200), Roles(target="label")
    made = headstart.compare(target, source=source, roles=roles)
    assert [row.name for row in made.rows] == ["no-transfer", "probe", "source-only", "target-only", "pooled", "auto"]
    fitted = headstart.fit(target, source=source, roles=roles, method="auto", cache=False).evidence_
    same(made["auto"].scores["accuracy"], fitted.metrics["accuracy"])
    same(made["pooled"].scores["accuracy"], fitted.baselines["pooled"]["accuracy"])
    same(made["auto"].over_no_transfer, fitted.assessment.gains["no-transfer"].interval)
    assert made.judged.adapted.name == "auto"
    assert made.judged.adapted.over in ("source-only", "target-only", "pooled")
    assert "daptation" in str(made)
    again = headstart.compare(target, source=source, roles=roles)
    assert all(row.cached for row in again.rows)
    hidden = headstart.compare(target, source=source, roles=roles, target_labels="none")
    assert [row.name for row in hidden.rows] == ["source-only", "auto"]
    assert not hidden["auto"].cached
    assert "no answer of the target may be learnt from" in " ".join(str(hidden).split())
    other = headstart.compare(target, source=source[:150], roles=roles, methods=["auto"])
    assert not other["auto"].cached


def test_a_claim_of_many_has_a_wider_interval(compared):
    claim = compared.judged.moving
    plain = compared[claim.name].over_probe
    assert claim.comparisons == 5
    assert claim.gain.value == plain.value
    assert claim.gain.low <= plain.low
    assert claim.gain.high >= plain.high
    assert ALPHA == 0.05
