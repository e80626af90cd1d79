"""What a problem knows about its rows, classes and folds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, softmax

from headstart.heads.fitter import pose
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION


def posed(targets, folds, kind=CLASSIFICATION, classes=3):
    features = np.arange(len(targets), dtype=np.float32)[:, None]
    return pose(features, np.asarray(targets), kind=kind, classes=classes, folds=np.asarray(folds))


def test_a_class_held_out_whole_is_unseen_and_does_not_count():
    problem = posed([0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 1, 1])
    unseen = problem.unseen[problem.folds]
    in_fold_of_2 = problem.folds == problem.folds[problem.targets == 2][0]
    assert (unseen[:, 2] == in_fold_of_2).all()
    assert not unseen[:, :2].any()
    assert ((problem.counted == 0) == (problem.targets == 2)).all()


def test_a_label_that_is_constant_outside_a_fold_is_unseen():
    labels = np.array([[1, 0], [1, 1], [0, 0], [0, 1]])
    problem = posed(labels, [0, 0, 1, 1], kind=MULTILABEL, classes=2)
    assert problem.unseen.tolist() == [[True, False], [True, False]]
    filled = problem.filled(np.zeros((4, 2)))
    np.testing.assert_allclose(expit(filled[:, 0]), np.where(problem.targets[:, 0] == 0, 5 / 6, 1 / 6), atol=0.03)
    assert (filled[:, 1] == 0).all()


def test_an_unseen_class_gets_the_odds_of_one_half_row():
    problem = posed([0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 1, 1])
    p = softmax(problem.filled(np.zeros((6, 3))), axis=1)
    for row, fold in enumerate(problem.folds):
        outside = np.sum(problem.folds != fold)
        odds = p[row, 2] / (1 - p[row, 2])
        assert odds == pytest.approx(1 / (2 * (outside + 1)) if problem.unseen[fold, 2] else 1 / 2)


def test_the_score_of_values_is_their_root_mean_squared_error():
    problem = posed([1.0, 2.0, 3.0], [0, 1, 2], kind=REGRESSION, classes=1)
    assert problem.score(problem.truth + 2) == (1.0, pytest.approx(2.0))


def test_rows_go_back_to_where_they_came_from():
    problem = posed([0, 1, 2, 0], [0, 1, 0, 1])
    assert (problem.restored(problem.features[problem.order]) == problem.features).all()


def test_merging_folds_keeps_the_basis():
    problem = posed(np.arange(12) % 3, np.arange(12))
    assert problem.merged(3).folds.max() == 2
    assert problem.merged(3).basis is problem.basis
