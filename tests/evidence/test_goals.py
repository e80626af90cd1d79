"""Evidence of models that are to be good at something: further scores, decisions of their own, gains that point up."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, f1_score, log_loss

from headstart.errors import DataError
from headstart.evidence.assess import assess
from headstart.evidence.bootstrap import bootstrap, unit_weights
from headstart.evidence.confusion import class_scores, confusion
from headstart.evidence.evidence import Evidence, of_answers
from headstart.evidence.held_out import HeldOut
from headstart.evidence.intervals import Draws
from headstart.evidence.page import headline
from headstart.evidence.scores import LOWER_IS_BETTER, better_by, score, scores_of_sums
from headstart.evidence.tally import tally
from headstart.tasks import CLASSIFICATION, REGRESSION
from headstart.tasks.goal import Costs, Decided, Goal, in_words
from tests.evidence.conftest import a_held, guesses, values_held

Array = np.ndarray[Any, Any]


def costs_of(classes: int, seed: int) -> Costs:
    matrix = np.random.default_rng(seed).normal(size=(classes, classes)) * 3
    return Costs(tuple(f"class {k}" for k in range(classes)), tuple(map(tuple, matrix.tolist())))


def aimed(rows: int, classes: int, seed: int, metric: str) -> HeldOut:
    goal = {
        "f1": Goal("f1", f"class {classes - 1}"),
        "cost": Goal("cost", costs=costs_of(classes, seed)),
    }.get(metric, Goal(metric))
    return a_held(rows, classes, seed)._replace(goal=goal)


def decided(held: HeldOut, skill: float, seed: int, repeats: tuple[int, ...] = ()) -> Decided:
    """Probabilities, and answers that have nothing to do with them."""
    classes = len(held.classes)
    answers = np.random.default_rng(seed + 1).integers(0, classes, (*repeats, len(held.targets)))
    return Decided(guesses(held.targets, classes, skill, seed, repeats), answers)


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(1, 40), classes=st.integers(2, 5), seed=st.integers(0, 999), metric=st.sampled_from(["f1", "cost"])
)
def test_f1_of_a_class_and_costs_are_as_written_out_on_weighted_rows_too(
    rows: int, classes: int, seed: int, metric: str
) -> None:
    held = aimed(rows, classes, seed, metric)
    answers, y = decided(held, 1.0, seed), held.targets
    w = np.random.default_rng(seed).integers(0, 3, rows)
    w[0] += 1
    sums = (w @ tally(held, answers)).reshape(-1, 1)
    for found, drawn in (
        (score(held, answers)[metric], np.arange(rows)),
        (float(scores_of_sums(sums, held)[metric][0]), np.repeat(np.arange(rows), w)),
    ):
        truth, answer = y[drawn], answers.decisions[drawn]
        if metric == "f1":
            expected = f1_score(truth == classes - 1, answer == classes - 1, zero_division=0)
        else:
            assert held.goal is not None
            assert held.goal.costs is not None
            expected = np.mean([held.goal.costs.matrix[t][a] for t, a in zip(truth, answer, strict=True)])
        assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("metric", ["f1", "cost"])
def test_resamples_are_scored_as_the_rows_that_they_draw(metric: str) -> None:
    held = aimed(30, 3, 0, metric)
    answers = decided(held, 1.0, 0)
    resampled = bootstrap(held, {"model": answers}, resamples=20)["model"].resampled[metric]
    weights = np.concatenate(list(unit_weights(30, 20, 0)), axis=1).astype(int)
    for draw in range(20):
        rows = np.repeat(np.arange(30), weights[:, draw])
        again = held._replace(targets=held.targets[rows])
        one = score(again, Decided(answers.predictions[rows], answers.decisions[rows]))[metric]
        assert resampled[draw] == pytest.approx(one, abs=1e-12)


def test_costs_need_not_be_in_the_order_of_the_classes_and_may_be_gains() -> None:
    costs = Costs(("c", "a", "b"), ((-1.0, 2.0, 3.0), (4.0, -5.0, 6.0), (7.0, 8.0, -9.0)))
    held = HeldOut(np.array([0, 1, 2]), CLASSIFICATION, ("a", "b", "c"), goal=Goal("cost", costs=costs))
    p = np.full((3, 3), 1 / 3)
    assert score(held, Decided(p, np.array([0, 1, 2])))["cost"] == pytest.approx((-5 - 9 - 1) / 3)
    assert score(held, Decided(p, np.array([2, 2, 2])))["cost"] == pytest.approx((4 + 7 - 1) / 3)
    found = of_answers(held, Decided(p, np.array([0, 1, 2])), {"majority": Decided(p, np.array([2, 2, 2]))})
    assert found.assessment.gains["majority"].value == pytest.approx((10 + 15) / 3)


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy", "macro_f1", "log_loss", "auroc", "f1", "cost"])
def test_a_gain_is_above_zero_where_the_model_is_better(metric: str) -> None:
    held = aimed(200, 3, 0, metric)
    if metric == "cost":
        names = held.classes
        matrix = ((0.0, 1.0, 2.0), (1.0, 0.0, 1.0), (2.0, 1.0, 0.0))
        held = held._replace(goal=Goal("cost", costs=Costs(tuple(map(str, names)), matrix)))
    good, poor = (guesses(held.targets, 3, skill, seed) for seed, skill in enumerate((4.0, 0.5)))
    for model, other, sign, verdict in ((good, poor, 1, "helps"), (poor, good, -1, "hurts")):
        found = assess(held, model, {"no-transfer": other})
        assert found.gain is not None
        assert (found.gain.metric, found.verdict) == (metric, verdict)
        apart = found.metrics[metric].value - found.baselines["no-transfer"][metric].value
        assert sign * found.gain.value > 0
        assert found.gain.value == pytest.approx(-apart if metric in LOWER_IS_BETTER else apart)
        assert found.gain.low <= found.gain.value <= found.gain.high


@pytest.mark.parametrize("metric", ["r2", "mae", "rmse"])
def test_of_values_too(metric: str) -> None:
    held = values_held(100)._replace(goal=Goal(metric))
    noise = np.random.default_rng(0).normal(size=100)
    found = assess(held, held.targets + 0.2 * noise, {"no-transfer": held.targets + 0.6 * noise})
    assert found.gain is not None
    assert found.gain.metric == metric
    assert found.gain.value > 0
    assert found.verdict == "helps"


def test_the_difference_is_turned_over_where_lower_is_better() -> None:
    one, other = (Draws(value, np.array([value, value + 1]), 9, (0.0, np.inf)) for value in (1.0, 3.0))
    assert (better_by("cost", one, other).value, better_by("accuracy", one, other).value) == (2.0, -2.0)
    assert better_by("log_loss", one, other).resampled.tolist() == [2.0, 2.0]


def test_decisions_count_and_not_the_likeliest_class() -> None:
    held = a_held(60, 4)
    answers = decided(held, 3.0, 0)
    found = of_answers(held, answers, {})
    assert found.metrics["balanced_accuracy"].value == pytest.approx(
        balanced_accuracy_score(held.targets, answers.decisions)
    )
    assert found.metrics["log_loss"].value == pytest.approx(log_loss(held.targets, answers.predictions))
    expected = confusion_matrix(held.targets, answers.decisions, labels=range(4))
    assert confusion(held, answers).tolist() == expected.tolist()
    assert [one.f1 for one in class_scores(held, answers)] == pytest.approx(
        f1_score(held.targets, answers.decisions, average=None, labels=range(4), zero_division=0)
    )
    assert found.reliability == of_answers(held, answers.predictions, {}).reliability


def test_decisions_of_repeats_are_those_of_each() -> None:
    held = a_held(40, 3)
    answers = decided(held, 1.0, 0, repeats=(3,))
    each = [score(held, Decided(*part)) for part in zip(*answers, strict=True)]
    found = score(held, answers)
    for name in held.metrics:
        assert found[name] == pytest.approx(np.mean([scores[name] for scores in each]))
    counts = np.mean([confusion(held, Decided(*part)) for part in zip(*answers, strict=True)], axis=0)
    np.testing.assert_allclose(confusion(held, answers), counts)


def test_an_answer_to_a_row_of_an_unlearnt_class_costs_as_much_as_the_dearest() -> None:
    costs = Costs(("a", "b"), ((0.0, 7.0), (1.0, 0.0)))
    held = HeldOut(np.array([0, 1, 2]), CLASSIFICATION, ("a", "b", "c"), learnt=2, goal=Goal("cost", costs=costs))
    answers = Decided(np.full((3, 2), 0.5), np.array([1, 1, 1]))
    found = of_answers(held, answers, {})
    assert found.metrics["cost"].value == pytest.approx((7 + 0 + 7) / 3)
    assert found.facts.unlearnt is not None
    assert found.facts.unlearnt.scores_without is not None
    assert found.facts.unlearnt.scores_without["cost"] == pytest.approx(7 / 2)
    assert "Without them: cost 3.50, accuracy .50, log loss .69." in found.notes[0]


def test_scores_without_unlearnt_rows_are_named_once() -> None:
    held = HeldOut(np.array([0, 1, 2]), CLASSIFICATION, ("a", "b", "c"), learnt=2, goal=Goal("accuracy"))
    (note,) = of_answers(held, np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]]), {}).notes
    assert note.count("accuracy") == 1


GOALS = [Goal("accuracy"), Goal("f1", "class 1"), Goal("cost", costs=costs_of(3, 0)), Goal("log_loss")]


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: goal.metric)
def test_there_and_back(goal: Goal) -> None:
    held = a_held(40, 3)._replace(goal=goal)
    found = of_answers(held, decided(held, 2.0, 0), {"no-transfer": guesses(held.targets, 3, 0.5, 3)})
    back = Evidence.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False)))
    assert (back.goal, back.headline) == (goal, goal.metric)
    assert back.to_json() == found.to_json()
    assert str(back) == str(found)


def test_evidence_of_earlier_versions_is_about_the_headline() -> None:
    held = a_held(40, 3)
    record = of_answers(held, guesses(held.targets, 3, 2.0), {}).to_json()
    assert "goal" not in record
    back = Evidence.from_json(record)
    assert (back.goal, back.headline) == (None, "balanced_accuracy")
    assert headline(back).startswith("balanced accuracy ")
    assert "goal:" not in str(back)


@pytest.mark.parametrize(
    ("goal", "words"),
    [
        ({"label": "x"}, "damaged"),
        ({"metric": "f1", "label": "class 0"}, "'f1', which it is about, is not among"),
        ("f1", "damaged"),
    ],
)
def test_a_damaged_goal_is_refused(goal: Any, words: str) -> None:
    held = a_held(20, 3)
    record = of_answers(held, guesses(held.targets, 3, 2.0), {}).to_json() | {"goal": goal}
    with pytest.raises(DataError, match=words):
        Evidence.from_json(record)


@pytest.mark.parametrize(
    ("goal", "first", "line"),
    [
        (Goal("accuracy"), "accuracy .", "goal: accuracy; 90 rows to learn from"),
        (Goal("f1", "class 1"), "F1 of 'class 1' .", "goal: F1 of 'class 1'; 90 rows to learn from"),
        (Goal("log_loss"), "log loss .", "goal: log loss; 90 rows"),
        (Goal("auroc"), "AUROC .", "goal: AUROC; 90 rows"),
        (Goal("cost", costs=costs_of(3, 0)), "cost ", "goal: cost; 90 rows"),
    ],
)
def test_the_page_begins_with_what_was_aimed_at(goal: Goal, first: str, line: str) -> None:
    held = a_held(40, 3)._replace(goal=goal)
    baselines = {"no-transfer": guesses(held.targets, 3, 0.5, 3), "majority": guesses(held.targets, 3, 0.0, 4)}
    found = replace(of_answers(held, decided(held, 2.0, 0), baselines), n_train=90)
    text = str(found)
    assert text.startswith(first)
    assert line in text.replace("\n", " ")
    assert max(map(len, text.splitlines())) <= 80
    names = next(row for row in text.splitlines() if row.startswith("  ")).split("  ")
    columns = [name.strip() for name in names if name.strip()]
    assert columns[0] == in_words(goal.metric)
    assert len(set(columns)) == len(columns)


def test_values_have_a_line_of_their_goal_only_where_it_is_another() -> None:
    held = values_held(50)
    pages = {
        metric: str(of_answers(held._replace(goal=Goal(metric)), held.targets + 0.1, {})) for metric in ("r2", "mae")
    }
    assert "goal:" not in pages["r2"]
    assert "goal: MAE" in pages["mae"]
    assert pages["mae"].startswith("MAE ")


@pytest.mark.parametrize(
    ("goal", "advice"),
    [
        (None, "with --for balanced-accuracy"),
        (Goal("accuracy"), "with --for balanced-accuracy"),
        (Goal("balanced_accuracy"), "with --class-weight balanced"),
    ],
)
def test_where_all_rows_are_called_one_class_a_goal_is_advised_and_weights_second(
    goal: Goal | None, advice: str
) -> None:
    y = np.repeat([0, 1], [180, 20])
    held = HeldOut(y, CLASSIFICATION, ("common", "rare"), goal=goal)
    p = 0.2 + 0.2 * y + 0.05 * np.random.default_rng(0).random(200)
    (note,) = of_answers(held, np.stack([1 - p, p], axis=1), {}).notes
    assert "All 200 rows are called 'common'" in note
    assert advice in note


def test_of_values_no_goal_is_decided() -> None:
    held = HeldOut(np.zeros(3), REGRESSION, goal=Goal("mae"))
    (repeat,) = held.repeats(np.array([1.0, 2.0, 3.0]))
    assert (repeat.predictions == repeat.decisions).all()
