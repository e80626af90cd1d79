"""Boosted trees on histograms: what is saved answers as what was grown, and no row by trees that learnt from it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from headstart.heads.fitter import pose
from headstart.heads.trees import Trees
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION


def rings(rows=300, classes=3, seed=0):
    """Classes by the distance from the origin: nothing that a line tells apart."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, 4)).astype(np.float32)
    radius = np.hypot(x[:, 0], x[:, 1])
    return x, np.digitize(radius, np.quantile(radius, np.arange(1, classes) / classes)).astype(np.int64)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_saved_trees_answer_as_those_of_scikit_learn(classes):
    x, y = rings(classes=classes)
    fit = Trees()(x, y, kind=CLASSIFICATION, classes=classes, folds=np.arange(300) % 5)
    options = Trees()
    forest = HistGradientBoostingClassifier(
        max_iter=fit.head.facts.account["trees"],
        learning_rate=options.rate,
        max_bins=options.bins,
        max_leaf_nodes=options.leaves[0],
        min_samples_leaf=5,
        max_features=0.5,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=0,
    )
    # Rows are learnt from in the order of their content.
    problem = pose(x, y, kind=CLASSIFICATION, classes=classes, folds=np.arange(300) % 5)
    forest.fit(x[problem.order], y[problem.order])
    asked = np.random.default_rng(1).standard_normal((500, 4)).astype(np.float32)
    np.testing.assert_allclose(fit.head.predict(asked), forest.predict_proba(asked), atol=1e-9)


def test_rings_are_learnt_and_held_out_rows_show_it():
    x, y = rings(900)
    fit = Trees()(x[:600], y[:600], kind=CLASSIFICATION, classes=3, folds=np.arange(600) % 5)
    held_out = np.mean(fit.out_of_fold.argmax(axis=1) == y[:600])
    new = np.mean(fit.head.predict(x[600:]).argmax(axis=1) == y[600:])
    assert new > 0.8
    assert abs(held_out - new) < 0.06
    values = np.hypot(x[:, 0], x[:, 1]).astype(np.float64)
    fit = Trees()(x[:600], values[:600], kind=REGRESSION, classes=1, folds=np.arange(600) % 5)
    assert np.mean((fit.head.predict(x[600:]) - values[600:]) ** 2) < 0.1 * values.var()


def test_a_class_that_no_fold_could_learn_is_answered_all_the_same():
    x, y = rings(200)
    y[:3] = 3
    folds = np.where(y == 3, 0, np.arange(200) % 4)
    fit = Trees()(x, y, kind=CLASSIFICATION, classes=5, folds=folds)
    assert np.isfinite(fit.out_of_fold).all()
    assert fit.head.predict(x)[:, 4].max() < 0.01


def test_a_course_that_falls_behind_on_the_first_fold_is_left():
    rng = np.random.default_rng(0)
    y = np.arange(300) % 2
    x = (rng.standard_normal((300, 4)) + y[:, None]).astype(np.float32)
    problem = pose(x, y, kind=CLASSIFICATION, classes=2, folds=np.arange(300) // 2 % 5)
    truth = np.eye(2)[problem.targets]
    assert Trees().propose_against(problem, 4 * truth) is None
    assert Trees().propose_against(problem, -0.1 * truth) is not None


def test_where_the_fewest_trees_are_too_dear_none_are_grown():
    x, y = rings()
    problem = pose(x, y, kind=CLASSIFICATION, classes=3, folds=np.arange(300) % 5)
    assert Trees(budget=0.01, a_row=0.0).propose_against(problem, np.zeros((300, 3))) is None


def test_several_labels_are_refused_by_name():
    x, y = rings()
    with pytest.raises(ValueError, match="the trees head answers classification and regression tasks, not multilabel"):
        Trees()(x, np.eye(3, dtype=np.uint8)[y], kind=MULTILABEL, classes=3, folds=np.arange(300) % 5)
