"""Manifold regularisation: against kernel ridge and ridge, no other function is better, and moons are followed."""

from typing import Any

import numpy as np
import pytest
import sklearn
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.datasets import make_moons
from sklearn.exceptions import NotFittedError
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from headstart.adaptation.estimators.laplacian import laplacian, needed
from headstart.adaptation.estimators.manifold import LaplacianRegularisedClassifier, LaplacianRegularisedRegressor
from headstart.tasks.task import Array

BOTH = [LaplacianRegularisedClassifier, LaplacianRegularisedRegressor]


def pair() -> tuple[Array, Array, Array]:
    """X, y, sample_domain of 25 + 25 rows; the target is drawn elsewhere."""
    random = np.random.default_rng(0)
    X = random.normal(size=(50, 3))
    X[25:] += 1
    return X, np.sin(X[:, 0]) + X[:, 1] + 3, np.repeat([1, -1], 25)


def moons() -> tuple[Array, Array, Array]:
    """Two moons; the source holds the left part of each, the target the right."""
    X, y = make_moons(400, noise=0.05, random_state=0)
    start = X[:, 0] - y  # each moon runs over two units
    return X, y, np.where(start < -0.3, 1, -1)


def test_the_graph_measures_how_much_joined_rows_differ() -> None:
    X, y, _ = pair()
    L = laplacian(X, 4)
    far = ((X[:, None] - X[None]) ** 2).sum(2)
    near = np.argsort(far + np.diag(np.full(50, np.inf)), 1)[:, :4]
    joined = {(i, int(j)) for i in range(50) for j in near[i]} | {(int(j), i) for i in range(50) for j in near[i]}
    assert y @ (L @ y) == pytest.approx(np.mean([(y[i] - y[j]) ** 2 for i, j in joined]) / 2)
    np.testing.assert_allclose(L @ np.ones(50), 0, atol=1e-15)
    np.testing.assert_allclose(L.toarray(), L.toarray().T)


def test_without_smoothing_it_is_ridge_and_kernel_ridge_on_the_source() -> None:
    X, y, domain = pair()
    one = LaplacianRegularisedRegressor("linear", ridge=0.1, smooth=0.0).fit(X, y, sample_domain=domain)
    np.testing.assert_allclose(one.predict(X), Ridge(0.1 * 25).fit(X[:25], y[:25]).predict(X))
    two = LaplacianRegularisedRegressor(ridge=0.1, smooth=0.0, gamma=0.3).fit(X, y, sample_domain=domain)
    plain = KernelRidge(alpha=0.1 * 25, kernel="rbf", gamma=0.3).fit(X[:25], y[:25] - y[:25].mean())
    np.testing.assert_allclose(two.predict(X), plain.predict(X) + y[:25].mean(), atol=1e-9)


@pytest.mark.parametrize("smooth", [0.1, 10.0])
def test_no_other_line_is_better(smooth: float) -> None:
    X, y, domain = pair()
    L = laplacian(X, 5).toarray()
    model = LaplacianRegularisedRegressor("linear", ridge=0.05, smooth=smooth, neighbours=5)
    model.fit(X, y, sample_domain=domain)

    def loss(wb: Array) -> float:
        f = X @ wb[:3] + wb[3]
        return float(((f - y)[:25] ** 2).mean() + 0.05 * wb[:3] @ wb[:3] + smooth * f @ L @ f)

    found = minimize(loss, np.zeros(4), options={"gtol": 1e-8})
    np.testing.assert_allclose(model.predict(X), X @ found.x[:3] + found.x[3], atol=1e-4)


@pytest.mark.parametrize("smooth", [0.1, 10.0])
def test_no_other_function_of_the_kernel_is_better(smooth: float) -> None:
    X, y, domain = pair()
    L, K = laplacian(X, 5).toarray(), rbf_kernel(X, gamma=0.3)
    model = LaplacianRegularisedRegressor(ridge=0.05, smooth=smooth, neighbours=5, gamma=0.3)
    model.fit(X, y, sample_domain=domain)
    a = np.linalg.solve(K, model.predict(X) - y[:25].mean())
    f = K @ a
    slope = 2 / 25 * K[:, :25] @ (f + y[:25].mean() - y)[:25] + 2 * 0.05 * f + 2 * smooth * K @ L @ f
    np.testing.assert_allclose(slope, 0, atol=1e-8)


def test_moons_are_followed_into_the_target_where_a_kernel_machine_is_not() -> None:
    X, y, domain = moons()
    source = domain > 0
    model = LaplacianRegularisedClassifier(ridge=1e-5, smooth=10.0, neighbours=8, gamma=10.0)
    hidden = np.where(source, y, -1)
    plain = SVC(gamma=10.0).fit(X[source], y[source]).score(X[~source], y[~source])
    score = model.fit(X, hidden, sample_domain=domain).score(X[~source], y[~source])
    assert score > 0.95
    assert score > plain + 0.05
    other = clone(model).fit(X, np.where(source, y, 1 - y), sample_domain=domain)
    np.testing.assert_array_equal(model.predict(X), other.predict(X))
    np.testing.assert_array_equal(model.decision_function(X) > 0, model.predict(X) == 1)


def test_labels_of_the_target_are_learnt_from_only_if_said() -> None:
    X, y, domain = pair()
    y[25:] = -y[25:]
    told = LaplacianRegularisedRegressor(target_labels=True, smooth=0.01).fit(X, y, sample_domain=domain)
    not_told = LaplacianRegularisedRegressor(smooth=0.01).fit(X, y, sample_domain=domain)
    assert told.score(X[25:], y[25:]) > not_told.score(X[25:], y[25:]) + 0.5


def test_three_classes_by_name_in_a_pipeline_and_several_answers() -> None:
    X, y, domain = pair()
    names = np.array(["a", "b", "c"])[np.digitize(y, [2.5, 3.5])]
    with sklearn.config_context(enable_metadata_routing=True):
        step = LaplacianRegularisedClassifier("linear").set_fit_request(sample_domain=True)
        model = make_pipeline(StandardScaler(), step).fit(X, names, sample_domain=domain)
    assert model.decision_function(X).shape == (50, 3)
    assert model.score(X[:25], names[:25]) > 0.6
    two = LaplacianRegularisedRegressor().fit(X, np.column_stack([y, -y]), sample_domain=domain).predict(X)
    np.testing.assert_allclose(two[:, 0], -two[:, 1], atol=1e-9)


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_few_rows_constant_features_and_identical_tasks_do_no_harm(kernel: str) -> None:
    X = np.array([[1.0, 2.0, 7.0], [2.0, 1.0, 7.0], [1.0, 2.0, 7.0]])
    model = LaplacianRegularisedClassifier(kernel).fit(X, [0, 1, -1], sample_domain=[1, 1, -1])
    assert model.predict(X).tolist() == [0, 1, 0]
    flat = LaplacianRegularisedRegressor(kernel).fit(np.ones((3, 2)), [1.0, 3.0, np.nan], sample_domain=[1, 1, -1])
    np.testing.assert_allclose(flat.predict(np.ones((1, 2))), 2.0)


@pytest.mark.parametrize("kind", BOTH)
def test_bad_options_and_what_costs_too_much_are_named(kind: Any) -> None:
    X, y, domain = pair()
    y = (y > 3).astype(int)
    for option, value, words in (
        ("ridge", 0.0, "ridge=0.0: expected a finite number, more than 0"),
        ("ridge", np.nan, "ridge=nan"),
        ("smooth", -1.0, "smooth=-1.0: expected a finite number, 0 or more"),
        ("gamma", np.inf, "gamma=inf"),
        ("neighbours", 0, "neighbours=0: expected a whole number, 1 or more"),
        ("kernel", "cubic", "kernel is 'cubic': expected"),
        ("limit", 1e-6, "on 50 rows would take 0.0 GB, above the limit of 1e-06 GB: set most= lower, such as most=300"),
        ("limit", np.nan, "limit=nan"),
        ("most", 0, "most=0: expected a whole number, 1 or more"),
    ):
        with pytest.raises(ValueError, match=words):
            kind(**{option: value}).fit(X, y, sample_domain=domain)
    assert (needed(20_000), needed(20_000, 300)) == (9_600_000_000, 144_000_000)
    with pytest.raises(NotFittedError):
        kind().predict(X)


def test_nystroem_on_all_rows_is_exact_and_on_few_is_close() -> None:
    X, y, domain = pair()
    exact = LaplacianRegularisedRegressor(gamma=0.3, ridge=0.05).fit(X, y, sample_domain=domain).predict(X)
    for most in (50, 60):
        whole = LaplacianRegularisedRegressor(gamma=0.3, ridge=0.05, most=most).fit(X, y, sample_domain=domain)
        np.testing.assert_allclose(whole.predict(X), exact, atol=1e-6)
    few = LaplacianRegularisedRegressor(gamma=0.3, ridge=0.05, most=25).fit(X, y, sample_domain=domain).predict(X)
    assert 1e-6 < np.abs(few - exact).mean() < 0.05 * exact.std()
    other = LaplacianRegularisedRegressor(gamma=0.3, ridge=0.05, most=25, seed=1).fit(X, y, sample_domain=domain)
    assert not np.array_equal(other.predict(X), few)


def test_nystroem_follows_the_moons() -> None:
    X, y, domain = moons()
    source = domain > 0
    options: dict[str, Any] = {"ridge": 1e-5, "smooth": 10.0, "neighbours": 8, "gamma": 10.0}
    hidden = np.where(source, y, -1)
    few = LaplacianRegularisedClassifier(most=100, **options).fit(X, hidden, sample_domain=domain)
    assert few.score(X[~source], y[~source]) > 0.95
