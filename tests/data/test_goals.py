"""What a person may write as a goal, every way to get it wrong, and what is taken where nothing is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.data.goals import default_goal, goal_named, goal_of
from headstart.errors import DataError
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION
from headstart.tasks.goal import Costs, Goal
from headstart.tasks.task import Task

SQUARE = ",bad,good\nbad,0,5\ngood,1,0\n"


@pytest.mark.parametrize(
    ("text", "goal"),
    [
        ("accuracy", Goal("accuracy")),
        ("Balanced_Accuracy", Goal("balanced_accuracy")),
        (" macro-f1 ", Goal("macro_f1")),
        ("log-loss", Goal("log_loss")),
        ("logloss", Goal("log_loss")),
        ("auc", Goal("auroc")),
        ("AUROC", Goal("auroc")),
        ("r2", Goal("r2")),
        ("rmse", Goal("rmse")),
        ("f1:rare", Goal("f1", "rare")),
        ("f1: a class: with colons ", Goal("f1", "a class: with colons")),
        ("F1:Rare", Goal("f1", "Rare")),
        ("f1:Cafe\u0301", Goal("f1", "Caf\u00e9")),
    ],
)
def test_names(text: str, goal: Goal) -> None:
    assert goal_named(text) == goal


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("acuracy", "goal 'acuracy' is unknown; nearest: accuracy; expected one of accuracy, balanced-accuracy"),
        ("balanced", "goal 'balanced' is unknown.*f1:CLASS, cost:FILE"),
        ("f2:rare", "goal 'f2:rare' is unknown; nearest: r2|f1"),
        ("", "goal '' is unknown"),
        (":rare", "goal ':rare' is unknown"),
        ("f1", "goal 'f1': expected f1:CLASS"),
        ("f1: ", "goal 'f1: ': expected f1:CLASS"),
        ("cost:", "goal 'cost:': expected cost:FILE"),
        ("accuracy:x", "goal 'accuracy:x': expected accuracy"),
        ("log-loss:2", "goal 'log-loss:2': expected log-loss"),
    ],
)
def test_what_is_no_goal_is_refused_with_the_nearest(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        goal_named(text)


def written(tmp_path: Path, content: str | bytes) -> str:
    path = tmp_path / "costs.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return f"cost:{path}"


@pytest.mark.parametrize(
    "content",
    [
        SQUARE,
        SQUARE.replace(",", ";"),
        SQUARE.replace(",", "\t"),
        SQUARE.replace("\n", "\r\n"),
        "\ufeff" + SQUARE,
        SQUARE + "\n\n , , \n",
        "true,bad,good\nbad,0,5\ngood,1,0",
        ",good,bad\nbad,5,0\ngood,0,1\n",
        ",bad,good\ngood,1,0\nbad,0,5\n",
        " , bad , good \n bad , 0 , 5.0 \n good , 1e0 , 0 \n",
        '"","bad","good"\n"bad","0","5"\n"good","1","0"\n',
    ],
)
def test_costs_may_be_written_in_many_ways(tmp_path: Path, content: str) -> None:
    costs = goal_named(written(tmp_path, content)).costs
    assert costs is not None
    order = [costs.labels.index(label) for label in ("bad", "good")]
    assert np.array(costs.matrix)[np.ix_(order, order)].tolist() == [[0, 5], [1, 0]]


def test_a_class_may_hold_what_parts_others(tmp_path: Path) -> None:
    goal = goal_named(written(tmp_path, ';"a,b";"c,d"\n"a,b";0;2\n"c,d";3;0\n'))
    assert goal == Goal("cost", costs=Costs(("a,b", "c,d"), ((0, 2), (3, 0))))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "expected a first row of classes answered and a row for each true class, all as long"),
        (",bad\nbad,0\n", "expected a first row"),
        (",bad,good\nbad,0,5\n", "expected a first row"),
        (",bad,good\nbad,0\ngood,1,0\n", "expected a first row"),
        (",bad,good\nbad,0,5,6\ngood,1,0\n", "expected a first row"),
        ("bad,good\n0,5\n1,0\n", "expected a first row"),
        (",bad,good\nbad,0,5\nfine,1,0\n", r"classes of the rows \['bad', 'fine'\] are not those of the columns"),
        (",bad,bad\nbad,0,5\ngood,1,0\n", "are not those of the columns"),
        (",bad,good\nbad,0,5\nbad,1,0\n", "are not those of the columns"),
        (",bad,good\nbad,0,much\ngood,1,0\n", "'much' is not a number"),
        (",bad,good\nbad,0,\ngood,1,0\n", "'' is not a number"),
        (";bad;good\nbad;0;1,5\ngood;1;0\n", "'1,5' is not a number"),
        (",bad,good\nbad,0,nan\ngood,1,0\n", "'nan' is not a finite number"),
        (",bad,good\nbad,0,-inf\ngood,1,0\n", "'-inf' is not a finite number"),
        (b"\xff\xfe,bad", "cannot be read"),
        ("x" * 200_000 + "\n", "expected a first row"),
    ],
)
def test_what_is_no_table_of_costs_is_refused(tmp_path: Path, content: str | bytes, words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        goal_named(written(tmp_path, content))
    assert "costs.csv" in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the costs '.*none\.csv' cannot be read"):
        goal_named(f"cost:{tmp_path / 'none.csv'}")
    with pytest.raises(DataError, match="cannot be read"):
        goal_named(f"cost:{tmp_path}")


def a_task(codes: list[int], kind: Any = CLASSIFICATION, split: list[str] | None = None) -> Task:
    classes = () if kind is REGRESSION else ("a", "b", "c")
    targets = np.array(codes, dtype=np.float64 if kind is REGRESSION else np.int64)
    inputs = np.zeros((len(codes), 2), np.float32)
    given = None if split is None else np.array(split, dtype=object)
    return Task(inputs=inputs, targets=targets, kind=kind, modality="array", classes=classes, split=given)


def test_the_default_hangs_on_how_uneven_the_classes_are() -> None:
    for counts in ([30, 10], [30, 10, 0], [5], [0, 0], []):
        assert default_goal(CLASSIFICATION, np.array(counts, dtype=np.int64)) == Goal("accuracy")
    for counts in ([31, 10], [31, 10, 0], [10, 31, 30]):
        assert default_goal(CLASSIFICATION, np.array(counts, dtype=np.int64)) == Goal("balanced_accuracy")
    assert default_goal(REGRESSION, np.zeros(0)) == Goal("r2")
    assert default_goal(MULTILABEL, np.array([100, 1])) == Goal("macro_f1")


def test_what_is_tested_has_no_say_in_the_default() -> None:
    even, tested = [0, 1, 2] * 3, [0] * 30
    assert goal_of(None, a_task(even + tested)).metric == "balanced_accuracy"
    for name in ("test", "val"):
        split = ["train"] * 9 + [name] * 30
        assert goal_of(None, a_task(even + tested, split=split)).metric == "accuracy"
    assert goal_of(None, a_task([0] * 9 + [1] * 2 + [-1] * 40)).metric == "balanced_accuracy"  # not known: not counted
    assert goal_of(None, a_task([0] * 9 + [1] * 3 + [-1] * 40)).metric == "accuracy"


def test_a_task_without_targets_has_a_goal() -> None:
    task = a_task([0, 1])
    assert goal_of(None, Task(inputs=task.inputs, targets=None, kind=CLASSIFICATION, modality="array")).metric
    assert goal_of("f1:b", a_task([-1, -1])).label == "b"


@pytest.mark.parametrize(
    ("goal", "kind", "words"),
    [
        ("rmse", CLASSIFICATION, "rmse is no score of a classification task; expected one of accuracy"),
        ("macro-f1", REGRESSION, "macro-f1 is no score of a regression task; expected one of r2, mae, rmse"),
        ("f1:z", CLASSIFICATION, "f1:z names no class of the data; expected one of 'a', 'b', 'c'"),
        (Goal("f1", "z"), CLASSIFICATION, "f1:z names no class"),
        (Goal("cost", costs=Costs(("a", "b"), ((0, 1), (1, 0)))), CLASSIFICATION, "the costs name no class 'c'"),
    ],
)
def test_a_goal_for_other_data_is_refused(goal: str | Goal, kind: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        goal_of(goal, a_task([0, 1, 2, 0], kind))


def test_a_class_that_only_tested_rows_have_needs_no_costs_and_is_no_goal() -> None:
    """No model can answer it."""
    task = a_task([0, 1, 0, 2], split=["train", "train", "train", "test"])
    goal = Goal("cost", costs=Costs(("a", "b"), ((0, 1), (1, 0))))
    assert goal_of(goal, task) == goal
    with pytest.raises(ValueError, match="f1:c names no class"):
        goal_of("f1:c", task)
