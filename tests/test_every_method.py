"""Each row of the table of methods, held to the same demands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from short_minilm import short_minilm
from sklearn.base import clone
from sklearn.datasets import load_iris

from headstart import MultiTask, Transfer, fit
from headstart.backbones.load import load
from headstart.finetuning.stage import Stage
from headstart.finetuning.top import Top
from headstart.heads.module import HeadModule
from headstart.losses.l2_sp import L2SP
from headstart.methods.table import METHODS, configured, method
from headstart.network import Network

pytestmark = pytest.mark.device

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]
FROZEN = [name for name, row in METHODS.items() if not row.moves_weights and not row.needs_source]
BETWEEN = [name for name, row in METHODS.items() if row.needs_source and not row.moves_weights]
SHARING = [name for name, row in METHODS.items() if row.needs_tasks]
TAUGHT = [name for name, row in METHODS.items() if row.needs_teacher]
MOVING = [
    name
    for name, row in METHODS.items()
    if row.moves_weights and not row.needs_source and name not in (*SHARING, *TAUGHT)
]
DEEP = [name for name, row in METHODS.items() if row.moves_weights and row.needs_source]
SENTENCES = [
    f"{word} {noun}" for word in ("awful", "broken", "lovely", "great") for noun in ["film", "song", "meal", "room"]
]
MOODS = ["bad"] * 8 + ["good"] * 8


@pytest.mark.parametrize("name", FROZEN)
def test_learns_survives_saving_and_can_be_cloned(name, tmp_path):
    fitted = Transfer(method=name).fit(X, NAMES)  # on iris, ridge masks the class in the middle: .84
    assert fitted.score(X, NAMES) > 0.8
    loaded = Transfer.load(fitted.save(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.predict_proba(X), fitted.predict_proba(X))
    again = clone(fitted).fit(X, NAMES)
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))


def two_tables(kind):
    """A source and a target whose columns are longer and lie elsewhere; of the target 60 rows to learn from, all
    labelled, and 60 to test on."""
    rng = np.random.default_rng(0)

    def table(count, by, to):
        x = rng.normal(size=(count, 3))
        values = x @ [2.0, -1.0, 0.5] + rng.normal(size=count) / 4
        target = np.where(values > 0, "high", "low") if kind == "classification" else values.round(3)
        return pd.DataFrame(x * by + to, columns=["a", "b", "c"]).assign(target=target)

    return table(150, 1.0, 0.0), table(120, 1.3, 0.4).assign(split=["train", "test"] * 60)


VALUES = ("pooled", "coral", "augment", "kmm", "bbse", "mlls")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        pytest.param(name, kind, marks=[pytest.mark.slow] * (kind == "regression" and name not in VALUES))
        for name in BETWEEN
        for kind in ("classification", "regression")
    ],
)
def test_a_way_from_a_source_learns_and_comes_back_from_its_file(name, kind, tmp_path):
    source, target = two_tables(kind)
    if kind == "regression" and name in ("bbse", "mlls"):
        with pytest.raises(ValueError, match="classes"):
            fit(target, source=source, method=name)
        return
    made = fit(target, source=source, method=name)
    score = made.evidence_.metrics["accuracy" if kind == "classification" else "r2"].value
    assert score > (0.8 if kind == "classification" else 0.5)
    assert made.method == name
    loaded = Transfer.load(made.save(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.predict(target[["a", "b", "c"]]), made.predict(target[["a", "b", "c"]]))
    assert "source-only" in {*made.evidence_.baselines, name}


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """The name of a part of MiniLM."""
    return str(short_minilm(tmp_path_factory.mktemp("backbone") / "short"))


@pytest.fixture(scope="module")
def moved(short):
    """By name the fitted model, fitted when it is first asked for."""

    @cache
    def of(name):
        options = {"epochs": 1, "batch": 8, "lr": 1e-3 if name == "scratch" else 1e-4, "validation": 0}
        made = Transfer(short, name, options=options, engine="torch", cache=False)
        return made.fit(SENTENCES, MOODS)

    return of


@pytest.fixture(scope="module")
def minilm(short):
    return load(short)


def moves_what_it_says(tune, before, after):
    """Of the backbone only what the tune says, and of that something."""
    network = Network(before, HeadModule.fresh(np.zeros(before.dim), np.ones(before.dim), 2))
    movable = {name.removeprefix("backbone.") for name in tune.movable(network)}
    old, new = before.module.state_dict(), after.module.state_dict()
    assert old.keys() == new.keys()
    changed = {name for name in old if not torch.equal(old[name], new[name])}
    assert changed <= movable
    assert bool(changed) == bool(movable)


@dataclass(frozen=True, kw_only=True)
class Sly(Top):
    """Opens a stage more than it says."""

    def __call__(self, network, progress):
        yield Stage(train=network.top(self.stages + 1), decay=self.decay)


def test_a_tune_that_moves_more_than_it_says_is_caught(short, minilm, monkeypatch):
    options = {"epochs": 1, "batch": 8, "validation": 0}

    def top_by(tune):
        monkeypatch.setitem(METHODS, "top", replace(METHODS["top"], tune=tune))
        model = Transfer(short, "top", options=options, engine="torch", cache=False)
        return model.fit(SENTENCES, MOODS).backbone_

    moves_what_it_says(Top(), minilm, top_by(Top()))
    with pytest.raises(AssertionError):
        moves_what_it_says(Sly(), minilm, top_by(Sly()))


@pytest.mark.parametrize("name", MOVING)
def test_moves_only_what_it_names(name, moved, minilm):
    fitted = moved(name)
    moves_what_it_says(METHODS[name].tune, minilm, fitted.backbone_)
    if name != "scratch":
        assert fitted.score(SENTENCES, MOODS) > 0.8


TWICE = ("gradual", "lora", "soup")


@pytest.mark.parametrize("name", [*TWICE, *(pytest.param(n, marks=pytest.mark.slow) for n in MOVING if n not in TWICE)])
def test_is_the_same_twice(name, moved):
    again = clone(moved(name)).fit(SENTENCES, MOODS)
    np.testing.assert_array_equal(again.predict_proba(SENTENCES), moved(name).predict_proba(SENTENCES))


@pytest.mark.parametrize("names", [("head", "lora"), pytest.param(MOVING, marks=pytest.mark.slow)])
def test_each_comes_back_from_its_file_in_a_fresh_process(preloaded, names, moved, tmp_path):
    folder = tmp_path / "models"
    for name in names:
        moved(name).save(folder / name)
    ask = "import sys; from pathlib import Path; from headstart import Transfer; import numpy as np; "
    ask += "at = Path(sys.argv[1]); names = [one.name for one in at.iterdir()]; "
    ask += "said = {name: Transfer.load(at / name).predict_proba(sys.argv[2:]) for name in names}; "
    ask += "np.savez(at / 'said.npz', **said)"
    preloaded.checked(ask, folder, *SENTENCES)
    said = np.load(folder / "said.npz")
    assert set(said) == set(names)
    for name in names:
        np.testing.assert_array_equal(said[name], moved(name).predict_proba(SENTENCES), err_msg=name)


def two_collections():
    """Sentences of a shop and of a cinema, two words of each class in common."""
    tables = []
    for nouns in (["film", "song", "meal", "room"], ["phone", "cable", "lamp", "chair", "desk"]):
        texts = [f"{word} {noun}" for word in ("awful", "broken", "lovely", "great") for noun in nouns]
        labels = ["bad"] * (len(texts) // 2) + ["good"] * (len(texts) // 2)
        tables.append(pd.DataFrame({"text": texts, "label": labels}))
    return tables


def drawn_towards(target, name, backbone, labels="none", epochs=2):
    options = {"epochs": epochs, "batch": 8, "lr": 1e-4}
    more = {"options": options, "target_labels": labels, "engine": "torch", "cache": False, "keep_tuned": True}
    split = target.assign(split=(["train"] * 3 + ["test"] * 2) * 4)
    return fit(split, source=two_collections()[0], backbone=backbone, method=name, **more)


@pytest.mark.parametrize("name", ["cdan", *(pytest.param(n, marks=pytest.mark.slow) for n in DEEP if n != "cdan")])
def test_a_row_that_moves_weights_towards_a_target_learns_and_comes_back(name, short, minilm, tmp_path):
    made = drawn_towards(two_collections()[1], name, short)
    assert made.method == name
    assert made.backbone_.fingerprint != minilm.fingerprint
    assert made.evidence_.metrics["accuracy"].value >= 0.75
    head = made.evidence_.facts.model.head
    assert head["rule"].startswith("each stage lasts all its epochs: fewer than 50 labelled target rows")
    assert (head["rows"], head["target_rows"]) == ([16, 0], 12)
    assert set(made.evidence_.baselines) == {"majority", "no-pretraining", "source-only"}
    assert made.evidence_.gain.over == "no-pretraining"
    assert made.evidence_.adaptation.gain.over == "source-only"
    loaded = Transfer.load(made.save(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.predict_proba(SENTENCES), made.predict_proba(SENTENCES))


@pytest.fixture(scope="module")
def teacher():
    """Of pictures of two classes, of which one is brighter."""
    return Transfer(BIG, "logistic", engine="torch", cache=False).fit(*shades())


BIG, SMALL = "timm:test_resnet?weights=random", "timm:test_resnet?weights=random&seed=3"


def shades():
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 128, (32, 32, 3)).astype(np.uint8) + np.uint8(100 * (row % 2)) for row in range(16)]
    return [Image.fromarray(pixels) for pixels in pictures], ["dark", "light"] * 8


@pytest.mark.parametrize(
    "name", ["distil", *(pytest.param(n, marks=pytest.mark.slow) for n in TAUGHT if n != "distil")]
)
def test_a_row_that_learns_from_a_teacher_learns_is_the_same_twice_and_comes_back(name, teacher, tmp_path):
    pictures, labels = shades()
    options = {"epochs": 2, "batch": 8, "lr": 1e-3, "validation": 0}
    student = Transfer(SMALL, name, options=options, engine="torch", cache=False)
    fitted = student.fit(pictures[:12], labels[:12], teacher=teacher, unlabelled=pictures[12:])
    moves_what_it_says(METHODS[name].tune, load(SMALL), fitted.backbone_)
    assert fitted.model_.head.facts.account["rows_without_label"] == 4
    assert fitted.score(pictures, labels) > 0.8
    loaded = Transfer.load(fitted.save(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.predict_proba(pictures), fitted.predict_proba(pictures))
    again = clone(student).fit(pictures[:12], labels[:12], teacher=teacher, unlabelled=pictures[12:])
    np.testing.assert_array_equal(again.predict_proba(pictures), fitted.predict_proba(pictures))
    bare = clone(student).fit(pictures, None, teacher=teacher)
    assert bare.score(pictures, teacher.predict(pictures)) > 0.8


@pytest.mark.parametrize("name", TAUGHT)
def test_a_row_that_learns_from_a_teacher_needs_one_and_weights(name, teacher):
    with pytest.raises(ValueError, match=f"method '{name}' learns from a teacher: headstart distil MODEL DATA"):
        fit(pd.DataFrame({"text": SENTENCES, "label": MOODS}), method=name)
    with pytest.raises(ValueError, match=f"method '{name}' learns from a teacher: give one with headstart.distil"):
        Transfer(SMALL, name).fit(*shades())
    with pytest.raises(ValueError, match="method 'lora' learns from no teacher: leave teacher out, or use 'distil'"):
        Transfer(SMALL, "lora").fit(*shades(), teacher=teacher)
    with pytest.raises(ValueError, match="rows without a label are learnt from a teacher's answers: give a teacher"):
        Transfer(SMALL, "lora").fit(*shades(), unlabelled=shades()[0])
    with pytest.raises(ValueError, match=f"mixup = 0.2: method '{name}' learns from a teacher, which is not asked of"):
        configured(name, {"mixup": 0.2}, 0)


def test_answers_of_the_target_are_read_only_where_they_may_be(short):
    target = two_collections()[1]
    other = target.assign(label=target["label"].replace({"good": "bad", "bad": "good"}))
    asked = ((target, "none"), (other, "none"), (other, "all"))
    one, same, told = (drawn_towards(table, "dann", short, labels, epochs=1) for table, labels in asked)
    assert one.backbone_.fingerprint == same.backbone_.fingerprint != told.backbone_.fingerprint
    np.testing.assert_array_equal(one.predict_proba(SENTENCES), same.predict_proba(SENTENCES))
    assert set(told.evidence_.baselines) == {"majority", "no-transfer", "source-only", "target-only", "pooled"}


@pytest.mark.parametrize("name", DEEP)
def test_a_row_that_adapts_weights_needs_a_source_and_weights(name, short):
    with pytest.raises(ValueError, match=f"method '{name}' draws on a source task: give one as source"):
        fit(pd.DataFrame({"text": SENTENCES, "label": MOODS}), method=name)
    with pytest.raises(ValueError, match=f"method '{name}' draws on a source task: give one to headstart.fit"):
        Transfer(short, name).fit(SENTENCES, MOODS)
    source, target = two_tables("classification")
    with pytest.raises(ValueError, match=f"method '{name}' moves weights, and a table has none: use one that moves"):
        fit(target, source=source, method=name, cache=False)


TWO_TARGETS = {"mood": MOODS, "worth": [0.5] * 8 + [1.5] * 4 + [None] * 4}


@pytest.fixture(scope="module")
def shared(short):
    """By name a model of two targets, of which one has missing answers, fitted when it is first asked for."""

    @cache
    def of(name):
        options = {"epochs": 1, "batch": 8, "validation": 0}
        return MultiTask(short, name, options=options, engine="torch", cache=False).fit(SENTENCES, TWO_TARGETS)

    return of


@pytest.mark.parametrize(
    "name", ["pcgrad", *(pytest.param(n, marks=pytest.mark.slow) for n in SHARING if n != "pcgrad")]
)
def test_a_row_for_several_targets_learns_them_on_one_backbone_and_comes_back(name, shared, minilm, tmp_path):
    fitted = shared(name)
    mood, worth = fitted.models_.values()
    assert mood.backbone is worth.backbone
    moves_what_it_says(METHODS[name].tune, minilm, mood.backbone)
    scores = fitted.scores(SENTENCES, TWO_TARGETS)
    assert scores["mood"] > 0.8
    assert scores["worth"] > 0.2
    loaded = MultiTask.load(fitted.save(tmp_path / "model"))
    pd.testing.assert_frame_equal(loaded.predict(SENTENCES), fitted.predict(SENTENCES))
    again = clone(fitted).fit(SENTENCES, TWO_TARGETS)
    np.testing.assert_array_equal(again.predict(SENTENCES)["worth"], fitted.predict(SENTENCES)["worth"])


@pytest.mark.parametrize("name", SHARING)
def test_a_row_for_several_targets_refuses_one(name, short):
    with pytest.raises(ValueError, match=f"method '{name}' weighs the losses of several targets: name several"):
        fit(pd.DataFrame({"text": SENTENCES, "label": MOODS}), method=name)
    with pytest.raises(ValueError, match=f"method '{name}' weighs the losses of several targets: use headstart.Multi"):
        Transfer(short, name).fit(SENTENCES, MOODS)


@pytest.mark.parametrize("name", MOVING)
def test_a_row_that_moves_weights_refuses_data_that_have_none(name):
    with pytest.raises(ValueError, match=f"method '{name}' moves weights, and a array has none: use 'probe'"):
        Transfer(method=name).fit(X, NAMES)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("probe+l2-sp", "expected a method that moves weights, then . and one of l2-sp, delta"),
        ("lora+lp-ft", "expected a method that moves weights, then . and one of l2-sp, delta"),
        ("head+delta", "delta keeps the backbone near the source, and head does not move it"),
        ("scratch+l2-sp", "l2-sp keeps near the source, and scratch begins without one"),
        ("lora+l2-sp", "l2-sp draws weights to those of the source, and lora moves none of them; give 'lora' with"),
        ("head+dann", "dann adapts the backbone, and head does not move it"),
        ("head+pcgrad", "pcgrad weighs what several targets share, and head moves nothing of it"),
        ("head+hints", "hints teaches it the features of another, and head does not move it"),
        ("head+attention", "attention teaches it the maps of another, and head does not move it"),
        ("gradual+l2-spa", "method 'l2-spa' is unknown; nearest: l2-sp"),
    ],
)
def test_pairs_that_cannot_work_are_refused(name, why):
    with pytest.raises(ValueError, match=why):
        configured(name, {}, 0)


def test_a_pair_is_the_tune_of_one_row_and_the_loss_of_another():
    found = configured("gradual+l2-sp", {"stages": "2", "weight": "0.5"}, 0)
    assert (found.tune, found.loss) == (replace(METHODS["gradual"].tune, stages=2), L2SP(weight=0.5))
    assert configured("lora+delta", {}, 0).loss == METHODS["delta"].loss
    assert configured("lora+dann", {"width": "8"}, 0).loss == replace(METHODS["dann"].loss, width=8)
    assert configured("scratch+cdan", {}, 0).tune.scratch
    assert configured("scratch+distil", {}, 0).tune.scratch
    assert configured("head+distil", {"temperature": "4"}, 0).loss == replace(METHODS["distil"].loss, temperature=4.0)
    with pytest.raises(ValueError, match=r"mixup = 0.2: method 'lora.dann' compares two tasks, and mixed rows are of"):
        configured("lora+dann", {"mixup": 0.2}, 0)


def test_each_row_says_what_it_is_for():
    assert all(row.about for row in METHODS.values())
    with pytest.raises(ValueError, match="method 'prob' is unknown; nearest: probe; expected one of: probe, ridge"):
        method("prob")


def test_an_unknown_option_is_refused_and_the_nearest_named():
    with pytest.raises(ValueError, match="method 'lp-ft' has no option 'epoch'; nearest: epochs; it has"):
        configured("lp-ft", {"epoch": "3"}, 0)
    with pytest.raises(ValueError, match="method 'probe' moves no weights and has no option 'epochs'"):
        configured("probe", {"epochs": 3}, 0)
    with pytest.raises(ValueError, match="epochs = 'many': expected int"):
        configured("lp-ft", {"epochs": "many"}, 0)
