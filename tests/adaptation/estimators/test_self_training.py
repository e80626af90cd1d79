"""Self-training: rows are taken by class, a share at a time, and it stops when nothing changes."""

import numpy as np
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from headstart.adaptation.estimators.self_training import SelfTraining
from headstart.tasks.task import Array


def pair(turn: float = 0.7, n: int = 80) -> tuple[Array, Array, Array]:
    """X, y, sample_domain of 2 n rows in two blobs each; those of the target are turned about the middle."""
    random = np.random.default_rng(0)
    y = np.arange(2 * n) % 2
    X = random.normal(size=(2 * n, 2)) * [0.6, 2.0] + np.where(y, 2.0, -2.0)[:, None] * [1, 0]
    cos, sin = np.cos(turn), np.sin(turn)
    X[n:] = X[n:] @ np.array([[cos, sin], [-sin, cos]])
    return X, y, np.repeat([1, -1], n)


def test_the_turned_target_is_learnt_without_its_labels() -> None:
    X, y, domain = pair()
    model = SelfTraining(rounds=30, share=1.0)
    hidden = np.where(domain > 0, y, -1)
    plain = LogisticRegression().fit(X[:80], y[:80]).score(X[80:], y[80:])
    score = model.fit(X, hidden, sample_domain=domain).score(X[80:], y[80:])
    assert score > plain + 0.02
    facts = model.facts_
    assert facts["taken"] == [sum(row) for row in facts["taken_by_class"]]
    assert facts["taken"][0] < facts["taken"][-1] <= 80
    np.testing.assert_array_equal(
        model.predict(X), clone(model).fit(X, np.where(domain > 0, y, 1 - y), sample_domain=domain).predict(X)
    )


def test_it_settles_before_the_rounds_are_spent_and_not_before() -> None:
    X, y, domain = pair(turn=0.0)
    model = SelfTraining(rounds=40).fit(X, y, sample_domain=domain)
    assert model.facts_["settled"]
    assert 20 <= len(model.facts_["taken"]) < 40
    short = SelfTraining(rounds=1, threshold=0.0).fit(X, y, sample_domain=domain)
    assert len(short.facts_["taken"]) == 1
    assert not short.facts_["settled"]
    assert short.facts_["taken"][0] >= 40


def test_a_share_too_small_to_add_a_row_is_not_the_end() -> None:
    X, y, domain = pair(turn=0.0)
    few = np.r_[:80, 80:84]
    model = SelfTraining(threshold=0.0, share=1.0, rounds=20).fit(X[few], y[few], sample_domain=domain[few])
    assert model.facts_["taken"][:2] == [2, 2]
    assert model.facts_["taken"][-1] == 4


def test_no_row_is_taken_where_none_is_sure_and_then_it_is_the_source_model() -> None:
    X, y, domain = pair()
    model = SelfTraining(LogisticRegression(C=1e-4), threshold=0.99).fit(X, y, sample_domain=domain)
    assert set(model.facts_["taken"]) == {0}
    own = LogisticRegression(C=1e-4).fit(X[:80], y[:80])
    np.testing.assert_allclose(model.predict_proba(X), own.predict_proba(X))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.05, 1.0), st.integers(2, 4))
def test_each_class_gives_its_share_of_the_rows_called_so(seed: int, p: float, classes: int) -> None:
    P = np.random.default_rng(seed).dirichlet(np.ones(classes) * 0.4, size=50)
    taken = SelfTraining(threshold=0.0)._surest(P, p)
    called, sure = P.argmax(1), P.max(1)
    for c in np.unique(called):
        surest = np.sort(sure[called == c])[::-1][: int(np.ceil(p * (called == c).sum()))]
        assert (taken[np.isin(sure, surest) & (called == c)] >= 0).all()
    if p == 1.0:
        assert (taken >= 0).all()
    assert (SelfTraining(threshold=1.1)._surest(P, p) == -1).all()


def test_known_labels_of_the_target_are_learnt_from_only_if_said() -> None:
    X, y, domain = pair(turn=1.2)
    seen = np.where((domain > 0) | (np.arange(160) % 80 < 20), y, -1)
    without = SelfTraining().fit(X, seen, sample_domain=domain)
    told = SelfTraining(target_labels=True).fit(X, seen, sample_domain=domain)
    assert told.score(X[100:], y[100:]) > without.score(X[100:], y[100:])
    hidden = SelfTraining().fit(X, np.where(domain > 0, y, -1), sample_domain=domain)
    np.testing.assert_array_equal(without.predict_proba(X), hidden.predict_proba(X))
    assert max(told.facts_["taken"]) <= 60


def test_classes_of_one_row_constant_features_and_one_target_row_do_no_harm() -> None:
    X, y, domain = pair()
    names = np.array(["a", "b", "c"])[np.where(np.arange(160) == 3, 2, y)]
    X = np.column_stack([X, np.ones(160)])[:81]
    with sklearn.config_context(enable_metadata_routing=True):
        step = SelfTraining().set_fit_request(sample_domain=True)
        model = make_pipeline(StandardScaler(), step).fit(X, names[:81], sample_domain=domain[:81])
    assert model.predict_proba(X).shape == (81, 3)
    assert set(model.predict(X)) <= {"a", "b", "c"}


def test_bad_options_are_named() -> None:
    X, y, domain = pair()
    for option, value in (("threshold", 1.5), ("threshold", np.nan), ("share", 0.0), ("share", np.nan), ("rounds", 0)):
        with pytest.raises(ValueError, match=f"{option}( is |=){value}: expected"):
            SelfTraining(**{option: value}).fit(X, y, sample_domain=domain)
    with pytest.raises(ValueError, match="has no predict_proba"):
        SelfTraining(RidgeClassifier()).fit(X, y, sample_domain=domain)
    with pytest.raises(ValueError, match=r"the source rows are all of class \[1\]"):
        SelfTraining().fit(X, np.ones(160, dtype=int), sample_domain=domain)
    with pytest.raises(NotFittedError):
        SelfTraining().predict(X)
