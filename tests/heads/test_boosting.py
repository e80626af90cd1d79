"""Boosted trees as arrays, against scikit-learn's own answers."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor

from headstart.heads.boosting import Boosting
from headstart.heads.fitter import pose
from headstart.heads.select import fit_probe
from headstart.tasks import CLASSIFICATION, REGRESSION

X, Y = load_wine(return_X_y=True)
ORDER = np.random.default_rng(0).permutation(len(X))
X, Y = X[ORDER], Y[ORDER].astype(np.int64)
FOLDS = np.arange(len(X)) % 5


def rows_as_fitted(x, y):
    """In the order in which the head sees them, which is that of their content."""
    problem = pose(x, y, kind=REGRESSION, classes=1, folds=np.arange(len(x)) % 5)
    return problem.order


@pytest.mark.parametrize("classes", [2, 3])
def test_logits_are_the_scores_of_scikit_learn(classes):
    kept = classes > Y
    x, y = X[kept], Y[kept]
    fit = Boosting(trees=(30,))(x, y, kind=CLASSIFICATION, classes=classes, folds=np.arange(len(x)) % 5)
    order = pose(x, y, kind=CLASSIFICATION, classes=classes, folds=np.arange(len(x)) % 5).order
    model = GradientBoostingClassifier(
        n_estimators=30, learning_rate=0.2, max_depth=2, min_samples_leaf=10, subsample=0.5, random_state=0
    ).fit(x[order], y[order])
    scores = model.decision_function(x)
    logits = fit.head.logits(x)
    found = logits[:, 1] - logits[:, 0] if classes == 2 else logits
    np.testing.assert_allclose(found, scores, atol=1e-9)


def test_values_are_those_of_scikit_learn():
    x, y = X[:, 1:], X[:, 0]
    fit = Boosting(trees=(5, 40))(x, y, kind=REGRESSION, classes=1, folds=FOLDS)
    order = rows_as_fitted(x, y)
    model = GradientBoostingRegressor(
        n_estimators=fit.head.facts.account["trees"],
        learning_rate=0.2,
        max_depth=2,
        min_samples_leaf=10,
        subsample=0.5,
        random_state=0,
    ).fit(x[order], y[order])
    np.testing.assert_allclose(fit.head.predict(x), model.predict(x), atol=1e-9)
    assert fit.head.facts.account["trees"] == 40


def test_the_number_of_trees_is_settled_on_rows_not_seen():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(150, 5)), rng.integers(0, 2, 150)
    fit = Boosting()(x, y, kind=CLASSIFICATION, classes=2, folds=np.arange(150) % 5)
    assert fit.head.facts.account["trees"] <= 10  # of noise the fewest are best
    assert 0.3 < float((fit.out_of_fold.argmax(axis=1) == y).mean()) < 0.7


def test_it_beats_a_line_where_answers_go_by_thresholds():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3))
    y = ((x[:, 0] > 0) ^ (x[:, 1] > 0.5)).astype(int)
    heads = [
        fit_probe(x[:200], y[:200], kind=CLASSIFICATION, classes=2, folds=np.arange(200) % 5, heads=(name,)).head
        for name in ("boosting", "logistic")
    ]
    accuracy = [float((head.predict(x[200:]).argmax(axis=1) == y[200:]).mean()) for head in heads]
    assert accuracy[0] > 0.9 > accuracy[1] + 0.2


@pytest.mark.parametrize("classes", [2, 4])
def test_classes_without_rows_are_never_predicted(classes):
    y = np.where(Y == 0, 0, classes - 1)
    fit = Boosting()(X, y, kind=CLASSIFICATION, classes=classes + 1, folds=FOLDS)
    said = fit.head.predict(X)
    assert set(said.argmax(axis=1)) == {0, classes - 1}
    assert said[:, classes].max() < 0.05


def test_few_rows():
    for rows in (2, 3, 5):
        y = np.arange(rows) % 2
        fit = Boosting()(X[:rows], y, kind=CLASSIFICATION, classes=2, folds=np.arange(rows))
        assert np.isfinite(fit.head.predict(X)).all()
        assert np.isfinite(fit.out_of_fold).all()
