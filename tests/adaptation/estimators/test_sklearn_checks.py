"""scikit-learn's own checks of the estimators of two tasks, each a test; the place of a row says its task."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.exceptions import DataConversionWarning
from sklearn.linear_model import Ridge
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import estimator_checks_generator

from headstart.adaptation.alignment.coral import Coral
from headstart.adaptation.estimators.adapted import Adapted
from headstart.adaptation.estimators.domain_adaptive_regression import DomainAdaptiveRegressor
from headstart.adaptation.estimators.l2_sp import L2SPClassifier, L2SPRegressor
from headstart.adaptation.estimators.manifold import LaplacianRegularisedClassifier, LaplacianRegularisedRegressor
from headstart.adaptation.estimators.self_training import SelfTraining
from headstart.adaptation.estimators.tradaboost import TrAdaBoost, TrAdaBoostR2
from headstart.adaptation.estimators.two_stage_tradaboost import TwoStageTrAdaBoostR2

ESTIMATORS = [
    (Adapted, {}),
    (Adapted, {"align": Coral(), "target_labels": True}),
    (Adapted, {"estimator": Ridge()}),
    (TrAdaBoost, {}),
    (TrAdaBoostR2, {}),
    (TwoStageTrAdaBoostR2, {"stages": 2, "rounds": 2, "folds": 2}),
    (L2SPClassifier, {}),
    (L2SPRegressor, {}),
    (LaplacianRegularisedClassifier, {"target_labels": True}),
    (LaplacianRegularisedRegressor, {"target_labels": True}),
    (SelfTraining, {"target_labels": True}),
    (DomainAdaptiveRegressor, {}),
]


def every_fourth_of_the_target(X):
    """A sample_domain by the places of the rows alone."""
    count = X.shape[0] if hasattr(X, "shape") else len(np.asarray(X))
    return np.where(np.arange(count) % 4 == 3, -1, 1)


def placed(cls):
    """The class with a `fit(X, y)` that gives sample_domain; found by pickle under its own name."""

    def fit(self, X, y=None):
        return cls.fit(self, X, y, sample_domain=every_fourth_of_the_target(X))

    made = type(f"Placed{cls.__name__}", (cls,), {"fit": fit, "__module__": __name__, "__init__": cls.__init__})
    globals()[made.__name__] = made
    return made


PLACED = {cls: placed(cls) for cls, _ in ESTIMATORS}
ARRAY_API = "check_array_api_input"  # asked of estimators that claim the array API, and skipped for others


def cases():
    for cls, options in ESTIMATORS:
        for estimator, check in estimator_checks_generator(PLACED[cls](**options), legacy=True):
            name = check.func.__name__
            if name != ARRAY_API:
                detail = "-".join(
                    str(value) for value in check.keywords.values() if not isinstance(value, BaseEstimator)
                )
                yield pytest.param(estimator, check, id=f"{cls.__name__}-{len(options)}-{name}-{detail}")


@pytest.mark.parametrize(("estimator", "check"), list(cases()))
def test_a_check_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize(("cls", "options"), ESTIMATORS)
def test_none_claims_the_array_api_or_a_check_that_it_fails(cls, options):
    estimator = PLACED[cls](**options)
    assert not get_tags(estimator).array_api_support
    assert not getattr(estimator, "_xfail_checks", None)


@pytest.mark.parametrize(("cls", "options"), ESTIMATORS)
def test_a_missing_domain_is_refused_and_not_taken_for_one_task(cls, options):
    X = np.arange(24.0).reshape(12, 2)
    with pytest.raises(ValueError, match="sample_domain is missing: expected a number a row, positive for source"):
        cls(**options).fit(X, np.arange(12) % 2)


@pytest.mark.parametrize(("cls", "options"), ESTIMATORS)
def test_missing_answers_and_a_single_row_are_refused(cls, options):
    X = np.arange(24.0).reshape(12, 2)
    with pytest.raises(ValueError, match=r"y has shape .* requires y to be passed, but the target y is None"):
        cls(**options).fit(X, None, sample_domain=every_fourth_of_the_target(X))
    with pytest.raises(ValueError, match=r"1 sample\(s\).*minimum of 2 is required"):
        cls(**options).fit(X[:1], [1], sample_domain=[1])


def test_names_that_are_numbers_in_between_are_no_classes():
    X = np.arange(24.0).reshape(12, 2)
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        TrAdaBoost().fit(X, np.linspace(0, 1, 12), sample_domain=every_fourth_of_the_target(X))


def test_a_column_of_answers_is_taken_with_a_warning():
    X = np.random.default_rng(0).normal(size=(12, 2))
    y, domain = np.arange(12) % 2, every_fourth_of_the_target(X)
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed when a 1d array was expected"):
        column = TrAdaBoost().fit(X, y[:, None], sample_domain=domain)
    np.testing.assert_array_equal(column.predict(X), TrAdaBoost().fit(X, y, sample_domain=domain).predict(X))
