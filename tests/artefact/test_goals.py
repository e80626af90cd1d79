"""A model that was fitted for a goal: its folder holds decisions and goal; one without them is as before."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from headstart import Transfer
from headstart.artefact import read, write
from headstart.artefact.card import card
from headstart.artefact.tensors import check_head
from headstart.errors import ArtefactError
from headstart.heads.module import HeadModule
from headstart.tasks import MULTILABEL, REGRESSION
from headstart.tasks.goal import Costs, Decided, Goal

X = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
UTILITIES = {
    "of classes": np.array([1.0, 2.0, 40.0]),
    "a matrix": np.random.default_rng(1).normal(size=(3, 3)),
}


@pytest.mark.parametrize("utility", UTILITIES.values(), ids=UTILITIES)
def test_decisions_are_kept(tmp_path, array_model, utility):
    head = array_model.head.decided_by(utility)
    again = read(write(replace(array_model, head=head), tmp_path / "m")).head
    np.testing.assert_array_equal(again.arrays["utility"], utility)
    before, after = head.answer(X), again.answer(X)
    assert isinstance(after, Decided)
    assert (after.decisions == before.decisions).all()
    assert (after.decisions != after.predictions.argmax(axis=1)).any()
    whole = utility if utility.ndim == 2 else np.diag(utility)
    assert (after.decisions == (after.predictions @ whole).argmax(axis=1)).all()
    assert (after.predictions == array_model.head.predict(X)).all()


def test_without_a_utility_the_likeliest_class_is_the_answer(tmp_path, array_model):
    again = read(write(array_model, tmp_path / "m")).head
    p = again.predict(X)
    assert isinstance(again.answer(X), np.ndarray)
    assert (again.decide(p) == p.argmax(axis=1)).all()
    assert "utility" not in array_model.head.decided_by(np.ones(3)).decided_by(None).arrays


def test_the_torch_form_of_a_head_has_the_same_logits_with_a_utility(array_model):
    head = array_model.head
    with_utility = _frozen(head.decided_by(UTILITIES["of classes"]))
    np.testing.assert_array_equal(with_utility.logits(X), _frozen(head).logits(X))


@pytest.mark.parametrize(
    ("utility", "words"),
    [
        (np.ones(2), r"head.utility has the shape \(2,\), expected \(3,\)"),
        (np.ones((3, 2)), r"head.utility has the shape \(3, 2\), expected \(3, 3\)"),
        (np.ones((3, 3, 3)), r"head.utility has the shape \(3, 3, 3\), expected \(3, 3\)"),
        (np.ones(()), r"head.utility has the shape \(\), expected \(3,\)"),
        (np.array([1, np.nan, 1]), "head.utility holds NaN or infinity"),
        (np.ones(3, np.int64), "head.utility is int64, expected float32 or float64"),
    ],
)
def test_a_utility_that_decides_nothing_is_refused(array_model, utility, words):
    arrays = array_model.head.arrays | {"utility": utility}
    with pytest.raises(ArtefactError, match=words):
        check_head(arrays, features=4, outputs=3)


def test_values_and_labels_are_not_decided_by_a_utility(tmp_path, array_model):
    arrays = array_model.head.arrays
    single = arrays | {"weight.0": arrays["weight.0"][:, :1], "bias.0": arrays["bias.0"][:1], "utility": np.ones(1)}
    for kind, classes, held in (
        (REGRESSION, (), single),
        (MULTILABEL, array_model.classes, arrays | {"utility": np.ones(3)}),
    ):
        model = replace(array_model, kind=kind, classes=classes, head=replace(array_model.head, kind=kind, arrays=held))
        with pytest.raises(ArtefactError, match=f"the head holds a utility, by which no {kind} task is decided"):
            read(write(model, tmp_path / str(kind)))


@pytest.mark.parametrize(
    "goal",
    [Goal("f1", "b"), Goal("cost", costs=Costs(("a", "b"), ((0.0, 1.0), (9.0, 0.0)))), Goal("accuracy"), None],
    ids=str,
)
def test_a_saved_model_decides_and_can_be_fitted_again_for_the_same_goal(tmp_path, goal):
    rng = np.random.default_rng(0)
    y = np.where(rng.random(160) < 0.15, "b", "a")
    frame = pd.DataFrame({"x": rng.normal(size=160) + (y == "b"), "z": rng.normal(size=160)})
    fitted = Transfer(method="ridge", goal=goal, cache=False).fit(frame, y)
    loaded = Transfer.load(fitted.save(tmp_path / "m")).set_params(cache=False)
    wanted = goal or Goal("balanced_accuracy")
    assert loaded.goal == wanted
    assert (loaded.predict(frame) == fitted.predict(frame)).all()
    again = loaded.fit(frame, y)
    assert (again.predict(frame) == fitted.predict(frame)).all()
    assert f"| goal | {wanted.words}" in (tmp_path / "m" / "README.md").read_text("utf-8").replace("\\", "")


def test_a_card_of_a_model_without_a_goal_tells_of_none(array_model):
    assert "| goal |" not in card(array_model, "m", CONFIG)


def _frozen(head):
    """The head in torch, as a backbone that stands on a saved model has it."""
    return HeadModule.stored(
        {name: torch.from_numpy(np.array(array)) for name, array in head.arrays.items()}, head.form, head.temperature
    )


CONFIG = {"headstart": "0", "libraries": {"python": "3"}}


@pytest.mark.parametrize("goal", [3, {"label": "b"}, {"metric": "cost", "costs": {"labels": ["a"]}}, "f1"])
def test_a_damaged_goal_is_refused(tmp_path, array_model, forge, goal):
    folder = write(array_model, tmp_path / "m")
    config = json.loads((folder / "config.json").read_text())
    forge(folder, config | {"options": config["options"] | {"goal": goal}})
    with pytest.raises(ArtefactError, match=r"options\.goal is .*, expected a goal"):
        read(folder)
