"""What is held out, and which predictions of it are refused."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.evidence.held_out import HeldOut
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION
from headstart.tasks.goal import Decided, Goal
from headstart.tasks.task import Task

TWO = HeldOut(np.array([0, 1, 1]), CLASSIFICATION, ("no", "yes"))
EVEN = np.full((3, 2), 0.5)


def test_of_a_task() -> None:
    task = Task(
        inputs=["a", "b"], targets=np.array([1, 0]), kind=CLASSIFICATION, modality="text", classes=("no", "yes"),
        group=np.array(["x", "x"]),
    )  # fmt: skip
    held = HeldOut.of(task)
    assert held.classes == ("no", "yes")
    assert held.group is not None
    assert held.group.tolist() == ["x", "x"]


def test_a_task_without_targets_is_refused() -> None:
    with pytest.raises(ValueError, match="held-out rows have no targets; give rows whose answers are known"):
        HeldOut.of(Task(inputs=["a"], targets=None, kind="classification", modality="text"))


@pytest.mark.parametrize("repeats", [(), (1,), (4,)])
def test_repeats_lead(repeats: tuple[int, ...]) -> None:
    count = repeats[0] if repeats else 1
    of_classes = TWO.repeats(np.broadcast_to(EVEN, (*repeats, 3, 2)))
    assert [(each.predictions.shape, each.decisions.shape) for each in of_classes] == [((3, 2), (3,))] * count
    of_values = HeldOut(np.zeros(3), REGRESSION).repeats(np.zeros((*repeats, 3)))
    assert [(each.predictions.shape, each.decisions.shape) for each in of_values] == [((3,), (3,))] * count


@pytest.mark.parametrize("repeats", [(), (1,), (4,)])
def test_decisions_go_with_their_predictions(repeats: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(2), (*repeats, 3))
    decisions = rng.integers(0, 2, (*repeats, 3)).astype(np.float64)  # as `Trials.joined` gives them
    for place, repeat in enumerate(TWO.repeats(Decided(p, decisions))):
        assert (repeat.predictions == p.reshape(-1, 3, 2)[place]).all()
        assert (repeat.decisions == decisions.reshape(-1, 3)[place]).all()
        assert repeat.decisions.dtype == np.int64
    for place, repeat in enumerate(TWO.repeats(p)):
        assert (repeat.decisions == p.reshape(-1, 3, 2)[place].argmax(axis=1)).all()


def test_decisions_of_another_number_of_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="reshape"):
        TWO.repeats(Decided(EVEN, np.zeros(2)))


def test_the_goal_names_the_score_by_which_models_are_compared() -> None:
    assert TWO.headline == "balanced_accuracy"
    assert TWO.metrics == CLASSIFICATION.metrics
    aimed = TWO._replace(goal=Goal("log_loss"))
    assert (aimed.headline, aimed.metrics) == ("log_loss", CLASSIFICATION.metrics)
    rare = TWO._replace(goal=Goal("f1", "yes"))
    assert (rare.headline, rare.metrics) == ("f1", (*CLASSIFICATION.metrics, "f1"))


@pytest.mark.parametrize(
    ("predictions", "words"),
    [
        (np.full((2, 2), 0.5), r"shape \(2, 2\); expected \(3, 2\), or \(repeats, 3, 2\)"),
        (np.full((3, 4), 0.25), r"shape \(3, 4\); expected \(3, 2\)"),
        (np.full((1, 1, 3, 2), 0.5), r"shape \(1, 1, 3, 2\)"),
        (np.empty((0, 3, 2)), r"shape \(0, 3, 2\)"),
        (np.full((3, 2), np.nan), "6 predictions are NaN or infinite"),
        (np.array([[2.0, -1.0]] * 3), r"lie in \[-1, 2\]; expected probabilities in \[0, 1\]: pass logits through"),
        (np.full((3, 2), 0.6), "miss a sum of 1 by 0.2; expected each row to sum to 1"),
    ],
)
def test_what_is_no_prediction_is_refused(predictions: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        TWO.repeats(predictions)


def test_labels_need_not_sum_to_one_and_values_have_no_bounds() -> None:
    (labels,) = HeldOut(np.ones((3, 2), np.uint8), MULTILABEL, ("a", "b")).repeats(np.ones((3, 2)))
    assert (labels.decisions == 1).all()
    (values,) = HeldOut(np.zeros(3), REGRESSION).repeats(np.array([-5.0, 7, 1e9]))
    assert values.decisions.tolist() == [-5, 7, 1e9]


def test_decisions() -> None:
    assert CLASSIFICATION.decide(np.array([[0.2, 0.8], [0.5, 0.5]])).tolist() == [1, 0]
    assert MULTILABEL.decide(np.array([[0.2, 0.5], [0.9, 0.49]])).tolist() == [[0, 1], [1, 0]]
    assert REGRESSION.decide(np.array([1.5])).tolist() == [1.5]
