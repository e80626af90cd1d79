"""A goal in labels and in codes: what it refuses, and that it survives JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION
from headstart.tasks.goal import GOALS, Aim, Costs, Decided, Goal, in_words, taken

COSTS = Costs(("bad", "good"), ((0.0, 5.0), (1.0, -2.0)))
GOALS_OF_EACH_FORM = [Goal("accuracy"), Goal("f1", "rare"), Goal("cost", costs=COSTS), Goal("r2")]


@pytest.mark.parametrize("goal", GOALS_OF_EACH_FORM)
def test_it_survives_json(goal: Goal) -> None:
    assert Goal.from_json(json.loads(json.dumps(goal.to_json()))) == goal


def test_a_class_that_is_a_number_is_the_same_class_after_json() -> None:
    goal = Goal("f1", np.int64(7))
    again = Goal.from_json(json.loads(json.dumps(goal.to_json())))
    assert again is not None
    assert again.aim((3, 7)) == goal.aim((3, 7)) == Aim("f1", 1)


def test_models_of_earlier_versions_have_none() -> None:
    assert Goal.from_json(None) is None


@pytest.mark.parametrize("record", [{}, {"metric": "cost", "costs": {"labels": ["a"]}}, 3, "accuracy"])
def test_a_damaged_record_is_an_error_that_readers_know(record: Any) -> None:
    with pytest.raises((KeyError, TypeError, AttributeError)):
        Goal.from_json(record)


def test_codes_and_costs_stand_in_the_order_of_the_classes() -> None:
    assert Goal("f1", "rare").aim(("common", "rare")) == Aim("f1", 1, None)
    aim = Goal("cost", costs=COSTS).aim(("good", "bad"))
    assert aim.code is None
    np.testing.assert_array_equal(aim.costs, [[-2.0, 1.0], [5.0, 0.0]])
    assert Goal("accuracy").aim(()) == Aim("accuracy")


def test_costs_may_name_more_classes_than_the_data_have() -> None:
    costs = Costs(("a", "b", "c"), ((0, 1, 2), (3, 4, 5), (6, 7, 8)))
    np.testing.assert_array_equal(Goal("cost", costs=costs).cost_matrix(("c", "a")), [[8, 6], [2, 0]])


def test_classes_that_are_numbers_are_matched_by_their_text() -> None:
    assert Goal("f1", "1").code((0, 1)) == 1
    costs = Costs(("0", "1"), ((0, 1), (2, 0)))
    np.testing.assert_array_equal(Goal("cost", costs=costs).cost_matrix((1, 0)), [[0, 2], [1, 0]])


def test_a_class_that_is_not_there_is_refused_and_some_that_are_named() -> None:
    classes = tuple(f"class {k}" for k in range(9))
    with pytest.raises(
        ValueError, match=r"f1:rare names no class of the data; expected one of 'class 0', .*and 3 more"
    ):
        Goal("f1", "rare").code(classes)
    with pytest.raises(ValueError, match=r"costs name no class 'odd'; the data have 'bad', 'odd', and the costs 'bad'"):
        Goal("cost", costs=COSTS).cost_matrix(("bad", "odd"))


@pytest.mark.parametrize(
    ("goal", "kind", "words"),
    [
        (Goal("r2"), CLASSIFICATION, "r2 is no score of a classification task; expected one of accuracy, balanced-acc"),
        (Goal("mae"), MULTILABEL, "mae is no score of a multilabel task"),
        (Goal("accuracy"), REGRESSION, "accuracy is no score of a regression task; expected one of r2, mae, rmse"),
        (Goal("f1", "a"), MULTILABEL, "f1 is no score of a multilabel task"),
        (Goal("cost", costs=COSTS), REGRESSION, "cost is no score of a regression task"),
        (Goal("micro_f1"), CLASSIFICATION, "micro-f1 is no score of a classification task"),
        (Goal("macro_precision"), CLASSIFICATION, "macro_precision is no score"),  # of no decision that we know
        (Goal("luck"), REGRESSION, "luck is no score of a regression task"),
        (Goal("cost"), CLASSIFICATION, "has costs where its metric is 'cost'"),
        (Goal("accuracy", costs=COSTS), CLASSIFICATION, "has costs where its metric is 'cost'"),
        (Goal("cost", costs=Costs(("a", "b"), ((0, 1),))), CLASSIFICATION, "expected 2 rows of 2 costs"),
        (Goal("cost", costs=Costs(("a", "a"), ((0, 1), (1, 0)))), CLASSIFICATION, "no label twice"),
        (Goal("cost", costs=Costs(("a", "b"), ((0, np.nan), (1, 0)))), CLASSIFICATION, "must be finite"),
    ],
)
def test_what_does_not_go_with_the_kind_is_refused(goal: Goal, kind: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        goal.refuse_other(kind)


@pytest.mark.parametrize("kind", [CLASSIFICATION, MULTILABEL, REGRESSION])
def test_every_headline_is_a_goal(kind: Any) -> None:
    Goal(kind.headline).refuse_other(kind)
    assert {metric for metric in GOALS.values() if metric in kind.metrics}


def test_words() -> None:
    words = {metric: Goal(metric, "rare" if metric == "f1" else None).words for metric in GOALS.values()}
    assert words["balanced_accuracy"] == "balanced accuracy"
    assert words["f1"] == "F1 of 'rare'"
    assert (words["r2"], words["auroc"], words["macro_f1"]) == ("R2", "AUROC", "macro F1")
    assert in_words("calibration_error") == "calibration error"
    assert len(set(words.values())) == len(GOALS)


def test_answers_to_some_rows() -> None:
    p = np.arange(6.0).reshape(3, 2)
    assert (taken(p, np.array([2, 0])) == p[[2, 0]]).all()
    some = taken(Decided(p, np.array([0, 1, 1])), np.array([2, 0]))
    assert isinstance(some, Decided)
    assert (some.predictions == p[[2, 0]]).all()
    assert some.decisions.tolist() == [1, 0]
