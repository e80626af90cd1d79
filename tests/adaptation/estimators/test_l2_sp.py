"""Parameters drawn to a source model: printed figures, both ends of the pull, other ways to the same answer."""

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeRegressor
from two_tasks import make_regression_da

from headstart.adaptation.estimators.l2_sp import L2SPClassifier, L2SPRegressor
from headstart.tasks.task import Array

BOTH = [L2SPRegressor, L2SPClassifier]


def pair(known: int = 6, answers: int = 1, d: int = 3) -> tuple[Array, Array, Array, Array]:
    """X, y, sample_domain of 30 source rows and 20 target rows, the first of which are labelled; all target answers."""
    random = np.random.default_rng(0)
    X = random.normal(size=(50, d))
    y = X @ random.normal(size=(d, answers)) + 2 + 0.1 * random.normal(size=(50, answers))
    y[30:] = y[30:] * 1.5 - 1
    domain = np.where(np.arange(50) < 30, 1, -1)
    seen = y.copy()
    seen[30 + known :] = np.nan
    return X, seen if answers > 1 else seen[:, 0], domain, y if answers > 1 else y[:, 0]


def blobs(classes: int = 3) -> tuple[Array, Array, Array]:
    """X, y, sample_domain; the target's clusters overlap, shifted by half a width."""
    X, y = make_blobs(120, centers=classes, cluster_std=4.0, random_state=1)
    domain = np.where(np.arange(120) < 60, 1, -1)
    X[60:] += 2
    return X, y, domain


def test_the_printed_figure_of_the_closed_form_is_reached() -> None:
    source, targets, target, answers = make_regression_da()
    assert Ridge().fit(source, targets).score(target, answers) == pytest.approx(0.6771931378706, abs=1e-11)
    labels = np.where(np.arange(100) < 3, answers, np.nan)
    model = L2SPRegressor(1.0).fit(
        np.vstack([source, target]), np.append(targets, labels), sample_domain=np.repeat([1, -1], 100)
    )
    assert model.score(target, answers) == pytest.approx(0.6454964910964, abs=1e-11)
    frozen = L2SPRegressor(1.0, source=FrozenEstimator(Ridge().fit(source, targets))).fit(target[:3], answers[:3])
    np.testing.assert_allclose(frozen.coef_, model.coef_, rtol=1e-12)


@pytest.mark.parametrize("penalty", [1e-3, 1.0, 30.0])
@pytest.mark.parametrize("known", [1, 3, 20])
@pytest.mark.parametrize("answers", [1, 2])
def test_parameters_satisfy_the_equation(penalty: float, known: int, answers: int) -> None:
    X, y, domain, _ = pair(known, answers)
    model = L2SPRegressor(penalty).fit(X, y, sample_domain=domain)
    before = Ridge().fit(X[:30], y[:30])
    rows, wanted = np.column_stack([np.ones(known), X[30 : 30 + known]]), y[30 : 30 + known]
    b0, b = (np.column_stack([np.atleast_1d(m.intercept_), np.atleast_2d(m.coef_)]).T for m in (before, model))
    left = rows.T @ rows @ b + penalty * b
    np.testing.assert_allclose(left, rows.T @ wanted.reshape(known, -1) + penalty * b0, atol=1e-9)
    assert model.predict(X).shape == y.shape


def test_a_regression_is_the_source_model_at_infinity_and_the_targets_own_at_zero() -> None:
    X, y, domain, answers = pair(known=20)
    source, target = Ridge().fit(X[:30], y[:30]), Ridge(alpha=1e-12).fit(X[30:], answers[30:])
    for penalty in (np.inf, 1e12):
        model = L2SPRegressor(penalty).fit(X, y, sample_domain=domain)
        np.testing.assert_allclose(model.predict(X), source.predict(X), rtol=1e-6)
    model = L2SPRegressor(0.0).fit(X, y, sample_domain=domain)
    np.testing.assert_allclose(model.predict(X), target.predict(X), rtol=1e-6)


def test_of_many_models_that_fit_the_target_the_nearest_to_the_source_is_taken() -> None:
    X, y, domain, _ = pair(known=2, d=10)
    X[:, 0] = 5.0
    model = L2SPRegressor(0.0).fit(X, y, sample_domain=domain)
    close = L2SPRegressor(1e-9).fit(X, y, sample_domain=domain)
    np.testing.assert_allclose(model.predict(X[30:32]), y[30:32], atol=1e-9)
    np.testing.assert_allclose(model.coef_, close.coef_, atol=1e-6)


@pytest.mark.parametrize("classes", [2, 3])
def test_classes_without_a_source_are_those_of_an_ordinary_regression(classes: int) -> None:
    X, y, domain = blobs(classes)
    source = LogisticRegression(max_iter=1000).fit(X[:60], y[:60])
    for penalty in (0.0, 1e-9):
        model = L2SPClassifier(penalty).fit(X, y, sample_domain=domain)
        own = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10000).fit(X[60:], y[60:])
        np.testing.assert_allclose(model.predict_proba(X), own.predict_proba(X), atol=1e-5)
    for penalty in (np.inf, 1e10):
        model = L2SPClassifier(penalty).fit(X, y, sample_domain=domain)
        np.testing.assert_allclose(model.predict_proba(X), source.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("penalty", [0.1, 10.0])
def test_classes_drawn_to_nothing_are_those_of_a_penalised_regression(classes: int, penalty: float) -> None:
    X, y, _ = blobs(classes)
    X = X - X[60:].mean(0)
    nothing = LogisticRegression().fit(X[:60], y[:60])
    nothing.coef_[:], nothing.intercept_[:] = 0, 0
    rows = np.column_stack([X, np.ones(120)])
    own = LogisticRegression(C=1 / penalty, fit_intercept=False, tol=1e-10, max_iter=10000).fit(rows[60:], y[60:])
    model = L2SPClassifier(penalty, source=FrozenEstimator(nothing)).fit(X[60:], y[60:])
    np.testing.assert_allclose(model.predict_proba(X[60:]), own.predict_proba(rows[60:]), atol=1e-5)


def test_a_class_that_no_target_row_shows_is_kept_from_the_source() -> None:
    X, y, domain = blobs()
    labels = np.where((y == 2) & (domain < 0), -1, y)
    model = L2SPClassifier(1.0).fit(X, labels, sample_domain=domain)
    assert model.classes_.tolist() == [0, 1, 2]
    assert (model.predict(X[60:]) == 2).any()


def test_names_of_classes_come_back_and_more_pull_moves_less() -> None:
    X, y, domain = blobs()
    names = np.array(["a", "b", "c"])[y]
    source = LogisticRegression(max_iter=1000).fit(X[:60], names[:60])
    moved = [
        np.linalg.norm(L2SPClassifier(p).fit(X, names, sample_domain=domain).coef_ - source.coef_)
        for p in (0.1, 1.0, 100.0)
    ]
    assert moved[0] > moved[1] > moved[2] > 0
    assert set(L2SPClassifier().fit(X, names, sample_domain=domain).predict(X)) <= {"a", "b", "c"}


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("penalty", [-1.0, np.nan])
def test_a_pull_that_is_none_is_refused(kind: Any, penalty: float) -> None:
    X, y, domain = blobs()
    with pytest.raises(ValueError, match=r"penalty is .*: expected 0"):
        kind(penalty).fit(X, y, sample_domain=domain)


def test_without_a_labelled_target_row_it_is_said_what_to_take() -> None:
    X, y, domain = blobs()
    for model, missing in ((L2SPRegressor(), np.nan), (L2SPClassifier(), -1)):
        with pytest.raises(ValueError, match=r"no target row has a known answer .* such as Adapted\(Coral"):
            model.fit(X, np.where(domain > 0, y, missing), sample_domain=domain)


def test_what_a_task_must_be_is_said() -> None:
    X, y, domain = blobs()
    with pytest.raises(ValueError, match="sample_domain is missing"):
        L2SPClassifier().fit(X, y)
    with pytest.raises(ValueError, match=r"target rows are of classes \['7'\] that no source row has"):
        L2SPClassifier().fit(X, np.where((y == 2) & (domain < 0), 7, y), sample_domain=domain)
    with pytest.raises(ValueError, match="the source rows are all of class"):
        L2SPClassifier().fit(X, np.ones(120), sample_domain=domain)
    with pytest.raises(ValueError, match="NaN in a source row"):
        L2SPRegressor().fit(X, np.where(domain > 0, np.nan, y), sample_domain=domain)
    with pytest.raises(ValueError, match="y holds NaN or None in a source row"):
        L2SPClassifier().fit(X, np.where(np.arange(120) == 0, np.nan, y), sample_domain=domain)
    with pytest.raises(ValueError, match=r"y has shape \(119,\) for 120 rows"):
        L2SPRegressor().fit(X, y[:-1].astype(float), sample_domain=domain)
    with pytest.raises(ValueError, match="has no coef_"):
        L2SPRegressor(source=DecisionTreeRegressor()).fit(X, y, sample_domain=domain)
    with pytest.raises(ValueError, match="maps 1 features to 1 answers: expected 2 to 1"):
        L2SPRegressor(source=FrozenEstimator(Ridge().fit(X[:, :1], y))).fit(X, y)
    for model in (L2SPRegressor(), L2SPClassifier()):
        with pytest.raises(NotFittedError):
            model.predict(X)


@pytest.mark.parametrize("kind", BOTH)
def test_options_are_kept_by_a_clone(kind: Any) -> None:
    X, y, domain = blobs()
    model = kind(3.0)
    again = clone(model).fit(X, y, sample_domain=domain)
    assert again.get_params()["penalty"] == 3.0
    np.testing.assert_array_equal(again.coef_, model.fit(X, y, sample_domain=domain).coef_)


def test_a_source_model_of_other_classes_is_refused() -> None:
    rows, codes = make_blobs(60, 3, centers=3, random_state=0)
    domain = np.repeat([1, -1], 30)
    names = np.array(["no", "yes", "maybe"])[codes]
    other = LogisticRegression().fit(rows, np.array(["a", "b", "c"])[codes])
    with pytest.raises(ValueError, match=r"tells .'a', 'b', 'c'. apart, and y holds .'maybe', 'no', 'yes'."):
        L2SPClassifier(source=FrozenEstimator(other)).fit(rows, names, sample_domain=domain)
    pairs = SVC(kernel="linear").fit(rows, names)
    with pytest.raises(ValueError, match="compares classes in pairs"):
        L2SPClassifier(source=FrozenEstimator(pairs)).fit(rows, names, sample_domain=domain)
    same = LogisticRegression().fit(rows, names)
    model = L2SPClassifier(np.inf, source=FrozenEstimator(same)).fit(rows, names, sample_domain=domain)
    assert (model.predict(rows) == same.predict(rows)).all()
