"""The verb `few-shot` from folder to backbone, and the fit that begins where it ends."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from PIL import Image
from small import RESNET

import headstart
from headstart.artefact import read_pretraining
from headstart.data.arrays import as_task
from headstart.errors import DataError
from headstart.meta_learning.comparison import MetaComparison
from headstart.meta_learning.source import TaskSource
from headstart.study.few_shot import few_shot

QUICK = {"epochs": 1, "steps": 2, "checked": 4}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Eight classes of eight pictures: noise over a colour of its own."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for code in range(8):
        colour = np.array([code & 1, code >> 1 & 1, code >> 2]) * 150
        (folder / f"class {code}").mkdir()
        for row in range(8):
            pixels = (rng.integers(0, 100, (32, 32, 3)) + colour).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"class {code}" / f"{row}.png")
    return folder


@pytest.fixture(scope="module")
def split(pictures, tmp_path_factory):
    """The same, of which two of each class are there to be tested on: one trial in place of fifteen."""
    folder = tmp_path_factory.mktemp("split")
    for file in pictures.rglob("*.png"):
        place = folder / ("test" if file.stem in "01" else "train") / file.parent.name
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place)
    return folder


WORDS = ["--way", 2, "--shot", "1,3", "--episodes", 12, "--backbone", RESNET, "--engine", "torch"]


@pytest.fixture(scope="module")
def learner(pictures, tmp_path_factory):
    """A backbone that protonet made, and its evidence."""
    learnt = few_shot(
        pictures, way=2, shot=(1, 3), episodes=12, backbone=RESNET, engine="torch", options=QUICK, query=4
    )
    return learnt.save(tmp_path_factory.mktemp("learnt") / "learner"), learnt


def test_the_folder_holds_the_backbone_its_rule_and_its_evidence(learner):
    folder, learnt = learner
    made = read_pretraining(folder)
    assert (made.method, made.rule) == ("protonet", "prototypes")
    assert made.page == str(learnt.evidence)
    assert made.facts["over"] == "simpleshot"  # on the bundled backbone, since this one begins with random weights
    assert made.options["way"] == 2
    assert [row["shot"] for row in made.facts["shots"]] == [1, 3]
    sides = made.facts["classes"]
    assert sorted(name for side in sides.values() for name in side) == [f"class {code}" for code in range(8)]
    moved = made.facts["training"]["best"] >= 0
    assert learnt.backbone.name == ("timm:test_resnet+protonet" if moved else RESNET)


def test_fit_takes_the_inner_rule_of_the_backbone_and_says_so(run, learner, split, tmp_path):
    output = run("fit", split, "--backbone", f"file:{learner[0]}", "--out", tmp_path / "m", "--engine", "torch")
    assert output.code == 0, output.err
    assert "method: prototypes, the inner rule of the backbone, which protonet made; --method" in " ".join(
        output.err.split()
    )
    assert headstart.Transfer.load(tmp_path / "m").method == "prototypes"


def test_a_method_that_is_named_stands_before_the_rule(run, learner, split, tmp_path):
    output = run("fit", split, "--backbone", learner[0], "--out", tmp_path / "m", "--method", "ridge", "--json")
    assert output.code == 0, output.err
    assert headstart.Transfer.load(tmp_path / "m").method == "ridge"


def test_the_command_prints_evidence_and_the_next_step(run, pictures, tmp_path):
    output = run("few-shot", pictures, *WORDS, "--learner", "simpleshot", "--out", tmp_path / "a")
    assert output.code == 0, output.err
    assert output.out.startswith("2-way 1-shot: accuracy ")
    assert "whose inner rule is prototypes; next: headstart fit NEW_DATA --backbone file:" in output.out
    assert max(map(len, str(output.out).split("\n\nsaved:")[0].splitlines())) <= 79
    shown = run("show", tmp_path / "a")
    assert output.out.split("\n\nsaved:")[0] in shown.out


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("baseline++", "fomaml", "anil", "matching")]


@pytest.mark.parametrize("name", ["r2d2", "pt-map", *SLOW])
def test_other_learners_run_too(run, pictures, tmp_path, name):
    options = [] if name == "pt-map" else [f"--option={key}={value}" for key, value in QUICK.items()]
    output = run("few-shot", pictures, *WORDS, "--learner", name, "--out", tmp_path / "a", "--json", *options)
    assert output.code == 0, output.err
    record = json.loads(output.out)
    assert next(iter(record["shots"][0]["scores"])) == name
    assert "random-weights" in record["shots"][0]["scores"]
    assert record["trained"] == (name != "pt-map")


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_weights(pictures, monkeypatch, tmp_path):
    class Killed(Exception):
        """In place of a signal."""

    batches = TaskSource.batches

    def kill(epoch_to_stop):
        def stopped(self, epoch, number):
            if epoch == epoch_to_stop:
                raise Killed
            return batches(self, epoch, number)

        monkeypatch.setattr(TaskSource, "batches", stopped)

    options = QUICK | {"epochs": 2, "journal": 0.0}
    asked = {"way": 2, "shot": 1, "episodes": 4, "backbone": RESNET, "engine": "torch", "options": options}
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "killed"))
    kill(1)
    with pytest.raises(Killed):
        few_shot(pictures, **asked)
    kill(0)
    again = few_shot(pictures, **asked)
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "whole"))
    monkeypatch.setattr(TaskSource, "batches", batches)
    assert few_shot(pictures, **asked).backbone.fingerprint == again.backbone.fingerprint


def rows(classes=6, each=4):
    texts = [f"text {code} {row}" for code in range(classes) for row in range(each)]
    return as_task(texts, np.repeat(list("abcdefghij"[:classes]), each))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"way": 4}, r"6 classes with enough rows, and meta-training and the test take 4 each"),
        (
            {"way": 7, "learner": "simpleshot"},
            r"6 classes with enough rows, and an episode takes 7",
        ),
        ({"shot": 4}, r"none of the classes has 5 different rows, which 4-shot episodes take: name a smaller shot"),
    ],
)
def test_too_little_data_is_refused_in_words(options, words, monkeypatch):
    monkeypatch.setattr(MetaComparison, "trained", lambda self: None)
    with pytest.raises(DataError, match=words):
        few_shot(rows(), backbone="bundled:wordllama", engine="torch", **({"way": 2, "shot": 1} | options))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"way": 1}, r"way = 1: expected 2 or more"),
        ({"shot": 0}, r"shot = 0: expected 1 or more"),
        ({"shot": ()}, r"shot names no number: expected one or several, such as 1,5"),
        ({"query": 0}, r"query = 0: expected 1 or more"),
        ({"episodes": 1}, r"episodes = 1: expected 2 or more"),
        ({"learner": "simple"}, r"learner 'simple' is unknown; nearest: simpleshot"),
        ({"options": {"scal": 2}}, r"method 'protonet' has no option 'scal'; nearest: scale"),
        ({"options": {"epochs": "ten"}}, r"epochs = 'ten': expected int"),
    ],
)
def test_wrong_arguments_are_refused_before_any_work(options, words):
    with pytest.raises(ValueError, match=words):
        few_shot(rows(), **options)


def test_kinds_that_do_not_suit_are_refused():
    values = as_task(np.arange(20.0).reshape(10, 2), np.arange(10.0) / 7)
    with pytest.raises(ValueError, match=r"learner 'protonet' is for classification, .* for it: r2d2, anil, maml"):
        few_shot(values)
    with pytest.raises(DataError, match=r"a regression has no classes to make episodes of: name the column .*--task"):
        few_shot(values, learner="maml")


def test_shots_that_are_no_numbers_are_refused(run, pictures, tmp_path):
    output = run("few-shot", pictures, "--shot", "1;5", "--out", tmp_path / "a")
    assert output.code == 2
    assert "--shot 1;5: expected whole numbers with commas between them, such as 1,5" in output.err


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    """Nine small tasks of twelve rows: y = a x + b of each task's own."""
    table = tmp_path_factory.mktemp("lines") / "lines.csv"
    rng = np.random.default_rng(0)
    rows = ["x,y,line"]
    for task in range(9):
        a, b = rng.normal(size=2)
        rows += [f"{x:.4f},{a * x + b:.4f},line {task}" for x in rng.uniform(-2, 2, 12)]
    table.write_text("\n".join(rows), "utf-8")
    return table


@pytest.mark.slow
def test_a_regression_of_small_tasks_and_a_fit_that_goes_on_with_it(run, lines, tmp_path):
    words = ["--target", "y", "--task", "line", "--shot", "4", "--learner", "maml", "--episodes", 6]
    output = run(
        "few-shot", lines, *words, "--out", tmp_path / "a", "--json", "--option", "epochs=1", "--option=steps=2"
    )
    assert output.code == 0, output.err
    record = json.loads(output.out)
    assert (record["metric"], record["over"], record["rule"]) == ("mean_squared_error", "all-tasks", "fine-tune")
    assert list(record["shots"][0]["scores"]) == ["maml", "all-tasks", "from-scratch"]
    assert {side: len(names) for side, names in record["tasks"].items()} == {"train": 5, "validation": 1, "test": 3}
    fit = ["--target", "y", "--input", "x", "--backbone", f"file:{tmp_path / 'a'}", "--method", "ridge"]
    fitted = run("fit", lines, *fit, "--out", tmp_path / "m", "--json")
    assert fitted.code == 0, fitted.err
    model = headstart.Transfer.load(tmp_path / "m")
    assert model.model_.backbone.dim == 40
    assert model.predict([[0.5], [1.0]]).shape == (2,)
    predicted = run("predict", tmp_path / "m", lines, "--out", tmp_path / "p.csv")
    assert predicted.code == 0, predicted.err


def test_small_tasks_in_folders(tmp_path):
    words = {"a": "sun rain snow", "b": "car bus bike", "c": "rose oak fern", "d": "salt pepper mint"}
    for task, labels in words.items():
        for label in labels.split():
            (tmp_path / task / label).mkdir(parents=True)
            for row in range(3):
                (tmp_path / task / label / f"{row}.txt").write_text(f"{label} number {row}", "utf-8")
    learnt = few_shot(tmp_path, way=2, shot=1, episodes=8, learner="simpleshot", backbone="bundled:wordllama")
    assert learnt.evidence.noun == "tasks"
    assert set(learnt.evidence.units[2]) <= set(words)
