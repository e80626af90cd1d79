"""Two-stage boosting: the target's share grows as published, and held-out target rows choose the stage."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeRegressor
from two_tasks import make_regression_da

from headstart.adaptation.estimators.boosting_rounds import Both, halved, relative, weighted_median
from headstart.adaptation.estimators.two_stage_tradaboost import TwoStageTrAdaBoostR2, _stage, _steep
from headstart.tasks.task import Array


def pair(known: int = 10) -> tuple[Array, Array, Array, Array]:
    """X, y, sample_domain and all answers of the printed data."""
    source, targets, target, answers = make_regression_da()
    labels = np.where(np.arange(100) < known, answers, np.nan)
    return np.vstack([source, target]), np.append(targets, labels), np.repeat([1, -1], 100), answers


@pytest.mark.parametrize("wanted", [0.5, 10.0, 40.0])
def test_the_source_weighs_what_it_must(wanted: float) -> None:
    random = np.random.default_rng(0)
    w, e = random.uniform(size=100), random.uniform(size=100)
    assert w @ np.exp(-_steep(w, e, wanted) * e) == pytest.approx(wanted)
    assert w @ np.exp(-_steep(w, e, 0.0) * e) == pytest.approx(0, abs=1e-100)
    assert _steep(w, e, 1000.0) == 0.0
    some = e * (e > 0.5)
    assert w @ np.exp(-_steep(w, some, 1.0) * some) == pytest.approx(w[some == 0].sum())


def test_one_source_row_far_off_does_not_take_the_others_with_it() -> None:
    w, e = np.ones(200), np.append(1.0, np.random.default_rng(0).uniform(5e-6, 5e-4, 199))
    for wanted in (150.0, 100.0, 50.0):
        assert w @ np.exp(-_steep(w, e, wanted) * e) == pytest.approx(wanted)


def test_rounds_that_are_all_wrong_vote_for_their_middle() -> None:
    vote = -np.log(halved(1.0))
    assert vote > 0
    assert weighted_median(np.array([[5.0, 1.0, 3.0]]), np.full(3, vote)).tolist() == [3.0]


def test_within_a_stage_the_target_is_boosted_as_published_and_the_source_stands_still() -> None:
    X, y, _, _ = pair()
    rows, answers, n = X[:110], y[:110], 100
    w, models, votes = np.linspace(0.5, 1.5, 110), [], []
    given = w.copy()
    for _ in range(4):
        h = DecisionTreeRegressor(max_depth=2).fit(rows, answers, sample_weight=w / w.mean())
        e = np.abs(h.predict(rows) - answers)
        e = e / e.max()
        half = (w * e).sum() / w.sum() / 2
        models, votes = [*models, h], [*votes, np.log((1 - half) / half)]
        for i in range(n, 110):
            w[i] *= (half / (1 - half)) ** (1 - e[i])
        w[n:] *= given[n:].sum() / w[n:].sum()
    found = _stage(DecisionTreeRegressor(max_depth=2), Both(rows, answers, n), given, 4)
    np.testing.assert_allclose(found.votes, votes)
    np.testing.assert_allclose(found.learners[-1].predict(X), models[-1].predict(X))


def test_stages_go_from_all_rows_alike_to_the_target_alone() -> None:
    X, y, domain, _ = pair()
    one = TwoStageTrAdaBoostR2(Ridge(1e-9), stages=1, rounds=1).fit(X, y, sample_domain=domain)
    np.testing.assert_allclose(one.predict(X), Ridge(1e-9).fit(X[:110], y[:110]).predict(X))
    y[:100] = -5 * X[:100, 0] + np.random.default_rng(0).normal(size=100)
    last = TwoStageTrAdaBoostR2(LinearRegression(), stages=4, rounds=1, folds=10).fit(X, y, sample_domain=domain)
    own = LinearRegression().fit(X[100:110], y[100:110])
    assert last.stage_ == 3
    np.testing.assert_allclose(last.shares_, 1 / 11 + np.arange(4) / 3 * 10 / 11)
    np.testing.assert_allclose(last.predict(X), own.predict(X), atol=1e-6)
    assert last.errors_.argmin() == last.stage_


def test_it_learns_what_neither_task_alone_tells_and_repeats_itself() -> None:
    X, y, domain, answers = pair()
    model = TwoStageTrAdaBoostR2(stages=5, rounds=5, seed=3)
    score = model.fit(X, y, sample_domain=domain).score(X[100:], answers)
    assert score > DecisionTreeRegressor(max_depth=3, random_state=0).fit(X[:100], y[:100]).score(X[100:], answers)
    np.testing.assert_array_equal(clone(model).fit(X, y, sample_domain=domain).predict(X), model.predict(X))
    assert relative(np.array([1.0, 3.0]), np.array([1.0, 1.0])).tolist() == [0, 1]


def test_with_one_learner_held_out_its_errors_are_those_that_adapt_prints() -> None:
    X, y, domain, _ = pair()
    model = TwoStageTrAdaBoostR2(Ridge(), held="learner", seed=None).fit(X, y, sample_domain=domain)
    printed = [0.2956, 0.2614, 0.2701, 0.2745, 0.2768, 0.2782, 0.2783, 0.2767, 0.2702]
    np.testing.assert_allclose(model.errors_[:9], printed, atol=2e-4)  # beta is searched there to about 1e-4
    assert model.stage_ == model.errors_.argmin()


def test_what_is_missing_is_said() -> None:
    X, y, domain, _ = pair(known=1)
    with pytest.raises(ValueError, match="two stages need 2 to hold out; take TrAdaBoostR2"):
        TwoStageTrAdaBoostR2().fit(X, y, sample_domain=domain)
    with pytest.raises(ValueError, match="no target row has a known answer"):
        TwoStageTrAdaBoostR2().fit(X, np.where(domain > 0, y, np.nan), sample_domain=domain)
    with pytest.raises(ValueError, match="takes no sample_weight"):
        TwoStageTrAdaBoostR2(KNeighborsRegressor()).fit(X, y, sample_domain=domain)
    with pytest.raises(ValueError, match="stages=0: expected a whole number, 1 or more"):
        TwoStageTrAdaBoostR2(stages=0).fit(X, y, sample_domain=domain)
    with pytest.raises(ValueError, match="folds=1: expected a whole number, 2 or more"):
        TwoStageTrAdaBoostR2(folds=1).fit(X, y, sample_domain=domain)
    with pytest.raises(ValueError, match="held = 'fold': expected stage or learner"):
        TwoStageTrAdaBoostR2(held="fold").fit(X, y, sample_domain=domain)
    with pytest.raises(NotFittedError):
        TwoStageTrAdaBoostR2().predict(X)
