"""Domain-adaptive regression: the offset is free, the slopes are drawn, features may be random."""

import numpy as np
import pytest
import sklearn
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.kernel_approximation import Nystroem, RBFSampler
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from headstart.adaptation.estimators.domain_adaptive_regression import DomainAdaptiveRegressor
from headstart.tasks.task import Array


def pair(known: int = 6, shift: float = 3.0) -> tuple[Array, Array, Array, Array]:
    """X, y, sample_domain of 60 source and 40 target rows, whose answers are shifted; and all the answers."""
    random = np.random.default_rng(1)
    X = random.uniform(-2, 2, size=(100, 2))
    y = np.sin(2 * X[:, 0]) + X[:, 1] + 0.05 * random.normal(size=100)
    y[60:] += shift
    seen = y.copy()
    seen[60 + known :] = np.nan
    return X, seen, np.repeat([1, -1], [60, 40]), y


@pytest.mark.parametrize("penalty", [0.1, 1.0, 50.0])
@pytest.mark.parametrize("known", [2, 40])
def test_no_other_slopes_and_offset_are_better(penalty: float, known: int) -> None:
    X, y, domain, _ = pair(known)
    model = DomainAdaptiveRegressor(penalty).fit(X, y, sample_domain=domain)
    w0 = Ridge().fit(X[:60], y[:60]).coef_
    rows, answers = X[60 : 60 + known], y[60 : 60 + known]

    def loss(wb: Array) -> float:
        return float(((rows @ wb[:2] + wb[2] - answers) ** 2).sum() + penalty * ((wb[:2] - w0) ** 2).sum())

    found = minimize(loss, np.zeros(3), options={"gtol": 1e-6})
    np.testing.assert_allclose(np.append(model.coef_, model.intercept_), found.x, atol=1e-4)


def test_at_infinity_only_the_offset_moves_and_at_zero_it_is_least_squares() -> None:
    X, y, domain, answers = pair(known=40)
    source = Ridge().fit(X[:60], y[:60])
    far = DomainAdaptiveRegressor(np.inf).fit(X, y, sample_domain=domain)
    np.testing.assert_allclose(far.coef_, source.coef_)
    assert far.intercept_ - source.intercept_ == pytest.approx(np.mean(answers[60:] - source.predict(X[60:])))
    own = LinearRegression().fit(X[60:], answers[60:])
    near = DomainAdaptiveRegressor(0.0).fit(X, y, sample_domain=domain)
    np.testing.assert_allclose(near.predict(X), own.predict(X), atol=1e-9)


@pytest.mark.parametrize(
    "features",
    [RBFSampler(gamma=0.5, n_components=200, random_state=0), Nystroem(n_components=50, gamma=0.5, random_state=0)],
)
def test_with_features_a_bent_answer_shifted_by_a_constant_is_found_from_one_row(features: object) -> None:
    X, y, domain, answers = pair(known=1)
    model = DomainAdaptiveRegressor(1.0, features=features, source=Ridge(0.1))
    straight = DomainAdaptiveRegressor(1.0).fit(X, y, sample_domain=domain)
    assert model.fit(X, y, sample_domain=domain).score(X[60:], answers[60:]) > 0.9
    assert straight.score(X[60:], answers[60:]) < 0.8
    assert model.n_features_in_ == 2


def test_several_answers_are_as_each_alone() -> None:
    X, y, domain, _ = pair()
    two = DomainAdaptiveRegressor(2.0).fit(X, np.column_stack([y, -2 * y]), sample_domain=domain)
    one = DomainAdaptiveRegressor(2.0).fit(X, y, sample_domain=domain)
    np.testing.assert_allclose(two.predict(X), np.column_stack([one.predict(X), -2 * one.predict(X)]), atol=1e-9)


def test_a_constant_feature_and_the_data_handed_in_do_no_harm() -> None:
    X, y, domain, _ = pair()
    X = np.column_stack([X, np.full(100, 7.0)])
    before = X.copy()
    model = DomainAdaptiveRegressor().fit(X, y, sample_domain=domain)
    assert np.isfinite(model.predict(X)).all()
    DomainAdaptiveRegressor(source=FrozenEstimator(Ridge().fit(X[:60], y[:60]))).fit(X, np.arange(100.0))
    np.testing.assert_array_equal(X, before)


def test_it_stands_in_a_pipeline() -> None:
    X, y, domain, answers = pair()
    with sklearn.config_context(enable_metadata_routing=True):
        step = DomainAdaptiveRegressor().set_fit_request(sample_domain=True)
        model = make_pipeline(StandardScaler(), clone(step)).fit(X, y, sample_domain=domain)
        plain = DomainAdaptiveRegressor().fit(StandardScaler().fit_transform(X), y, sample_domain=domain)
        assert model.score(X[60:], answers[60:]) > 0.3
        np.testing.assert_allclose(model[-1].coef_, plain.coef_)


def test_bad_options_and_tasks_are_named() -> None:
    X, y, domain, _ = pair()
    with pytest.raises(ValueError, match="penalty is nan"):
        DomainAdaptiveRegressor(np.nan).fit(X, y, sample_domain=domain)
    with pytest.raises(ValueError, match="no target row has a known answer"):
        DomainAdaptiveRegressor().fit(X, np.where(domain > 0, y, np.nan), sample_domain=domain)
