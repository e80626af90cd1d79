"""Losses row by row, beside scikit-learn's; and whether one model is better than another on the rows of both."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss, r2_score

from headstart.automl.race.scoring import Apart, Judge
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION
from headstart.tasks.goal import Aim, Decided

ROWS = np.arange(90)
ALONE = np.arange(90)


@pytest.fixture
def answers():
    rng = np.random.default_rng(0)
    targets = rng.choice(3, 90, p=(0.7, 0.2, 0.1))
    return targets, rng.dirichlet(np.ones(3), 90)


def judge(targets, metric="accuracy", kind=CLASSIFICATION, classes=3, blocks=ALONE, **aim):
    return Judge(targets, kind, classes, Aim(metric, **aim), blocks)


def test_log_loss_is_that_of_scikit_learn(answers):
    targets, p = answers
    own = judge(targets)
    assert own.mean(own.losses(p, ROWS)) == pytest.approx(log_loss(targets, p))


def test_wrong_answers_are_counted_by_rows_or_by_classes(answers):
    targets, p = answers
    for metric, measure in (("accuracy", accuracy_score), ("balanced_accuracy", balanced_accuracy_score)):
        own = judge(targets, metric)
        losses = own.losses(p, ROWS)
        right = 1 - np.average(losses.aimed, weights=own.aimed_weights)
        assert right == pytest.approx(measure(targets, p.argmax(axis=1)))


def test_decisions_are_judged_and_not_the_likeliest_class(answers):
    targets, p = answers
    losses = judge(targets).losses(Decided(p, targets), ROWS)
    assert not losses.aimed.any()
    assert (losses.own > 0).all()


def test_costs_are_those_of_the_answers(answers):
    targets, p = answers
    costs = np.arange(9.0).reshape(3, 3)
    losses = judge(targets, "cost", costs=costs).losses(p, ROWS)
    np.testing.assert_array_equal(losses.aimed, [costs[t, k] for t, k in zip(targets, p.argmax(axis=1), strict=True)])


def test_f1_of_a_class_is_judged_by_that_class_alone(answers):
    targets, p = answers
    own = judge(targets, "f1", code=2)
    assert own.mean(own.losses(p, ROWS)) == pytest.approx(log_loss(targets == 2, p[:, 2]))


def test_values_are_judged_in_shares_of_their_variance():
    rng = np.random.default_rng(1)
    targets = 1e6 + rng.normal(size=90)
    values = targets + rng.normal(scale=0.5, size=90)
    own = judge(targets, "r2", REGRESSION, 1)
    assert own.mean(own.losses(values, ROWS)) == pytest.approx(1 - r2_score(targets, values))


def test_several_labels_are_judged_label_by_label():
    rng = np.random.default_rng(2)
    targets, p = rng.integers(0, 2, (90, 3)).astype(np.uint8), rng.uniform(0.05, 0.95, (90, 3))
    own = judge(targets, "macro_f1", MULTILABEL)
    expected = np.mean([log_loss(targets[:, k], p[:, k]) for k in range(3)])
    assert own.mean(own.losses(p, ROWS)) == pytest.approx(expected)


def test_a_difference_is_of_the_rows_that_both_answered(answers):
    targets, p = answers
    own = judge(targets)
    few, many = own.losses(p[:30], ROWS[:30]), own.losses(np.full((90, 3), 1 / 3), ROWS)
    apart = own.apart(few, many)
    difference = np.log(3) + np.log(p[np.arange(30), targets[:30]])
    assert apart.rows == 30
    assert apart.gain == pytest.approx(difference.mean())
    assert apart.error == pytest.approx(difference.std() / np.sqrt(30))


def test_rows_of_a_block_are_not_so_many_witnesses(answers):
    targets, p = answers
    blocks = np.repeat(np.arange(30), 3)
    apart = [
        judge(np.repeat(targets[:30], 3), blocks=some).apart(
            *(judge(np.repeat(targets[:30], 3)).losses(np.repeat(q[:30], 3, axis=0), ROWS) for q in (p, p[::-1]))
        )
        for some in (ALONE, blocks)
    ]
    assert apart[1].error == pytest.approx(np.sqrt(3) * apart[0].error)


def test_nothing_in_common_is_no_difference(answers):
    targets, p = answers
    own = judge(targets)
    apart = own.apart(own.losses(p[:9], ROWS[:9]), own.losses(p[9:], ROWS[9:]))
    assert apart.rows == 0
    assert not apart.better


@pytest.mark.parametrize(
    ("apart", "better"),
    [
        (Apart(0.2, 0.1, 0.0, 0.0, 50), True),
        (Apart(0.05, 0.1, 0.0, 0.0, 50), False),
        (Apart(0.2, 0.1, -0.2, 0.1, 50), False),
        (Apart(0.0, 0.1, 0.2, 0.1, 50), True),
        (Apart(-0.2, 0.1, 0.2, 0.1, 50), False),
    ],
)
def test_better_in_one_measure_and_worse_in_none(apart, better):
    assert apart.better is better


def test_answers_that_are_no_numbers_are_refused(answers):
    targets, p = answers
    p[3, 1] = np.nan
    with pytest.raises(ValueError, match="NaN or infinite"):
        judge(targets).losses(p, ROWS)
