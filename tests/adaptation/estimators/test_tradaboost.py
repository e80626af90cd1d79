"""Boosting over two tasks: printed figures, the published loop written out, rows that contradict the target fade."""

from typing import Any

import numpy as np
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from two_tasks import make_regression_da

from headstart.adaptation.estimators.boosting_rounds import weighted_median
from headstart.adaptation.estimators.tradaboost import TrAdaBoost, TrAdaBoostR2
from headstart.tasks.task import Array

STUMP = DecisionTreeClassifier(max_depth=1, random_state=0)


def pair(classes: int = 2, known: int = 15) -> tuple[Array, Array, Array, Array]:
    """X, y, sample_domain of 80 + 60 rows, all answers; half of the source is named by another rule."""
    random = np.random.default_rng(0)
    X = random.uniform(size=(140, 3))
    y = np.minimum((X[:, 0] * classes).astype(int), classes - 1)
    y[:40] = (y[:40] + 1) % classes
    seen = y.copy()
    seen[80 + known :] = -1
    return X, seen, np.repeat([1, -1], [80, 60]), y


def test_the_printed_figure_of_the_regression_is_reached() -> None:
    source, targets, target, answers = make_regression_da()
    labels = np.where(np.arange(100) < 10, answers, np.nan)
    model = TrAdaBoostR2(Ridge(), rounds=10)
    model.fit(np.vstack([source, target]), np.append(targets, labels), sample_domain=np.repeat([1, -1], 100))
    assert model.score(target, answers) == pytest.approx(0.6998064452649, abs=1e-10)
    np.testing.assert_allclose(model.errors_[[0, 4, 9]], [0.4862, 0.7154, 0.3666], atol=5e-5)


def test_two_classes_are_boosted_as_published() -> None:
    X, y, domain, _ = pair()
    y[15:40] = 1 - y[15:40]
    y[[80, 81, 82]] = 1 - y[[80, 81, 82]]
    rows, answers, n, N = X[:95], y[:95], 80, 6
    w, kept = np.full(95, 1 / 95), []
    for t in range(N):
        h = clone(STUMP).fit(rows, answers, sample_weight=w / w.mean())
        wrong = np.abs(h.predict(rows) - answers)
        eps = (w[n:] * wrong[n:]).sum() / w[n:].sum()
        assert eps > 0
        eps = min(eps, 0.495)  # where the paper would stop
        beta_t = eps / (1 - eps)
        kept += [(h, beta_t)] if t >= N // 2 else []
        for i in range(95):
            w[i] *= (1 / (1 + np.sqrt(2 * np.log(n) / N))) ** wrong[i] if i < n else beta_t ** -wrong[i]
    for_one = np.prod([beta ** -h.predict(X).astype(float) for h, beta in kept], axis=0)
    model = TrAdaBoost(STUMP, rounds=N).fit(X, y, sample_domain=domain)
    np.testing.assert_array_equal(model.predict(X), for_one >= np.prod([beta**-0.5 for _, beta in kept]))


@pytest.mark.parametrize("classes", [2, 3])
def test_source_rows_that_contradict_the_target_fade_and_the_answer_is_the_targets(classes: int) -> None:
    X, y, domain, answers = pair(classes, known=30)
    tree = DecisionTreeClassifier(max_depth=2, random_state=0)
    model = TrAdaBoost(tree, rounds=20).fit(X, y, sample_domain=domain)
    assert model.weights_[:40].mean() < 0.5 * model.weights_[40:80].mean()
    plain = clone(tree).fit(X[:80], answers[:80])
    assert model.score(X[110:], answers[110:]) > plain.score(X[110:], answers[110:]) + 0.1
    shares = model.predict_proba(X)
    assert shares.shape == (140, classes)
    np.testing.assert_allclose(shares.sum(1), 1)


def test_rounds_that_are_worse_than_chance_have_next_to_no_vote() -> None:
    X, y, domain, answers = pair(known=20)
    y[:80] = 1 - answers[80:][np.arange(80) % 60]
    X[:80] = X[80:][np.arange(80) % 60]
    model = TrAdaBoost(STUMP, rounds=20).fit(X, y, sample_domain=domain)
    assert model.errors_[0] > 0.5
    assert (model.errors_[10:] > 0.5).all()
    np.testing.assert_allclose(model.votes_, -np.log(0.495 / 0.505))


def test_a_regression_forgets_source_rows_of_another_rule() -> None:
    random = np.random.default_rng(0)
    X = random.uniform(size=(140, 1))
    y = np.where(np.arange(140) < 40, -1, 1) * 4 * X[:, 0]
    seen, domain = np.where(np.arange(140) < 100, y, np.nan), np.repeat([1, -1], [80, 60])
    model = TrAdaBoostR2(DecisionTreeRegressor(max_depth=3), rounds=20).fit(X, seen, sample_domain=domain)
    pooled = DecisionTreeRegressor(max_depth=3).fit(X[:100], y[:100]).score(X[100:], y[100:])
    assert model.score(X[100:], y[100:]) > max(0.8, pooled + 0.2)
    assert model.weights_[:40].mean() < 0.5 * model.weights_[40:80].mean()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(1, 4)), min_size=1, max_size=6))
def test_a_weighted_median_is_that_of_repeated_values(votes: list[tuple[int, int]]) -> None:
    values, times = np.array([v for v, _ in votes], dtype=float), np.array([t for _, t in votes])
    spread = np.sort(np.repeat(values, times))
    found = weighted_median(np.vstack([values, -values]), times.astype(float))
    assert found[0] == spread[(len(spread) - 1) // 2]
    assert found[1] == -spread[len(spread) // 2]


def test_it_stands_in_a_pipeline_and_one_labelled_row_or_a_constant_feature_does_no_harm() -> None:
    X, y, domain, _ = pair(known=1)
    X[:, 2] = 4.0
    names = np.array(["no", "yes"])[np.maximum(y, 0)].astype(object)
    names[y < 0] = None
    with sklearn.config_context(enable_metadata_routing=True):
        step = TrAdaBoost().set_fit_request(sample_domain=True)
        model = make_pipeline(StandardScaler(), step).fit(X, names, sample_domain=domain)
    assert set(model.predict(X)) <= {"no", "yes"}
    seen = np.where(y < 0, np.nan, y)
    assert np.isfinite(TrAdaBoostR2().fit(X, seen, sample_domain=domain).predict(X)).all()


@pytest.mark.parametrize("rounds", [0, 2.5, np.nan, True])
@pytest.mark.parametrize("kind", [TrAdaBoost, TrAdaBoostR2])
def test_rounds_that_are_no_number_are_refused(kind: Any, rounds: Any) -> None:
    X, y, domain, _ = pair()
    with pytest.raises(ValueError, match=r"rounds=.*: expected a whole number, 1 or more"):
        kind(rounds=rounds).fit(X, y, sample_domain=domain)


def test_what_is_missing_is_said() -> None:
    X, y, domain, answers = pair()
    with pytest.raises(ValueError, match=r"no target row has a known answer .* TrAdaBoost learns from some"):
        TrAdaBoost().fit(X, np.where(domain > 0, y, -1), sample_domain=domain)
    with pytest.raises(ValueError, match=r"no target row has a known answer .* TrAdaBoostR2 learns from some"):
        TrAdaBoostR2().fit(X, np.where(domain > 0, y, np.nan), sample_domain=domain)
    with pytest.raises(ValueError, match="takes no sample_weight, and TrAdaBoost weighs rows"):
        TrAdaBoost(KNeighborsClassifier()).fit(X, y, sample_domain=domain)
    with pytest.raises(ValueError, match="expected one answer a row"):
        TrAdaBoostR2().fit(X, np.column_stack([answers, answers]), sample_domain=domain)
    with pytest.raises(ValueError, match="sample_domain names no target row"):
        TrAdaBoost().fit(X, y, sample_domain=np.ones(140))
    with pytest.raises(NotFittedError):
        TrAdaBoost().predict(X)
