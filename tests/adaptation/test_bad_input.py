"""Bad input to every class that takes two tasks: it works, or is refused in words; no other error, warning or NaN."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from every_step import CLASSIFIERS, EVERY, ODD, REGRESSORS, TaskPair, identical, name, tasks
from sklearn.base import clone, is_regressor

from headstart.adaptation.alignment.coral import Coral
from headstart.adaptation.estimators.adapted import Adapted

IN_WORDS = re.compile(r"expected|use |give |take |leave ")
RATIOS = {"ULSIF", "RuLSIF", "KLIEP"}
REFUSES = {
    "a_class_of_one_row": {"BBSE", "MLLS"},
    "two_source_rows": {"BBSE", "MLLS"},
    "one_target_row": RATIOS
    | {"Coral", "LinearTransport", "SubspaceAlignment", "DiscriminatorWeights", "TwoStageTrAdaBoostR2"},
    "unknown_but_one": {"TwoStageTrAdaBoostR2"},
    "far": RATIOS | {"KMM"},
    "points": {"SubspaceAlignment", "TCArbf"},
}
"""Which classes cannot do with which odd input; all others must."""


def fitted(model: Any, one: TaskPair) -> Any:
    return clone(model).fit(one.X, one.y, sample_domain=one.domain)


def right(model: Any, one: TaskPair) -> None:
    """It answers target rows: with known classes, or finite numbers."""
    said = model.predict(one.X[one.of(-1)])
    assert len(said) == one.of(-1).sum()
    if is_regressor(model):
        assert np.isfinite(said.astype(float)).all()
    else:
        assert set(said) <= set(one.y[one.of(1)])
    if hasattr(model, "predict_proba"):
        shares = model.predict_proba(one.X[one.of(-1)])
        np.testing.assert_allclose(shares.sum(axis=1), 1)


@pytest.mark.parametrize("model", EVERY, ids=name)
def test_good_input_works(model: Any) -> None:
    one = tasks(model)
    right(fitted(model, one), one)


@pytest.mark.parametrize("model", EVERY, ids=name)
def test_odd_input_works_or_is_refused_in_words(model: Any) -> None:
    for case in ODD:
        one = case(model)
        if name(model).removesuffix("-regression") in REFUSES.get(case.__name__, ()):
            with pytest.raises(ValueError, match=IN_WORDS):
                fitted(model, one)
        else:
            right(fitted(model, one), one)


@pytest.mark.parametrize("model", EVERY, ids=name)
def test_identical_tasks_are_left_alone_and_it_is_said(model: Any) -> None:
    one = identical(model)
    right(fitted(model, one), one)
    if isinstance(model, Adapted):
        assert fitted(model, one).facts_["identical"] is True
        blind = fitted(clone(model).set_params(target_labels=False), one)
        plain = fitted(Adapted(None, model.estimator), one)
        assert blind.facts_ == {"identical": True}
        np.testing.assert_array_equal(blind.predict(one.X), plain.predict(one.X))
        assert "identical" not in fitted(model, tasks(model)).facts_


REFUSED: dict[str, tuple[Callable[[TaskPair], TaskPair], str]] = {
    "no sample_domain": (lambda one: one._replace(domain=None), "sample_domain is missing: expected"),
    "source alone": (lambda one: one._replace(domain=np.ones(50)), "sample_domain names no target row: expected"),
    "target alone": (lambda one: one._replace(domain=-np.ones(50)), "sample_domain names no source row: expected"),
    "too few signs": (lambda one: one._replace(domain=[1, -1]), r"sample_domain has shape \(2,\): expected \(50,\)"),
    "no rows": (lambda one: one._replace(X=one.X[:0]), "0 sample"),
    "too few answers": (lambda one: one._replace(y=one.y[:9]), r"y has shape \(9,\) for 50 rows: expected"),
    "NaN": (lambda one: one._replace(X=np.where(one.X[3, 1] == one.X, np.nan, one.X)), "Input X contains NaN"),
    "infinity": (lambda one: one._replace(X=np.where(one.X[3, 1] == one.X, np.inf, one.X)), "contains infinity"),
}


@pytest.mark.parametrize("model", EVERY, ids=name)
def test_what_cannot_be_learnt_from_is_refused_by_all(model: Any) -> None:
    for spoil, words in REFUSED.values():
        with pytest.raises(ValueError, match=words):
            fitted(model, spoil(tasks(model)))


CLASSES: dict[str, tuple[Callable[[int], object], str]] = {
    "a class that only the target has": (
        lambda row: "new" if row == 40 else ("yes", "no")[row % 2],
        r"target rows are of classes \['new'\] that no source row has: expected \['no', 'yes'\]; leave these rows out",
    ),
    "disjoint classes": (
        lambda row: ("a", "b")[row % 2] if row < 30 else ("c", "d")[row % 2],
        r"target rows are of classes \['c', 'd'\] that no source row has: expected \['a', 'b'\]",
    ),
    "one class": (lambda row: "same", r"source rows are all of class \['same'\]: expected two or more"),
    "a source row without a class": (lambda row: None if row == 2 else ("a", "b")[row % 2], "NaN or None in a source"),
    "names and numbers": (lambda row: (1, "b")[row % 2], r"y holds names and numbers .*: expected one or the other"),
}


@pytest.mark.parametrize("model", CLASSIFIERS, ids=name)
def test_classes_that_cannot_be_are_named(model: Any) -> None:
    for answer, words in CLASSES.values():
        y = np.array([answer(row) for row in range(50)], dtype=object)
        with pytest.raises(ValueError, match=words):
            fitted(model, tasks(model)._replace(y=y))
    with pytest.raises(ValueError, match=r"y has shape \(50, 2\): expected \(50,\), one class a row"):
        fitted(model, tasks(model)._replace(y=np.zeros((50, 2), int)))


@pytest.mark.parametrize("model", REGRESSORS, ids=name)
def test_values_that_cannot_be_are_named(model: Any) -> None:
    one = tasks(model)
    with pytest.raises(ValueError, match="y holds infinity, or NaN in a source row: expected numbers"):
        fitted(model, one._replace(y=np.where(np.arange(50) == 3, np.nan, one.y)))
    with pytest.raises(ValueError, match=r"y holds 'yes'.*: expected numbers, for this is regression"):
        fitted(model, one._replace(y=np.array(["yes"] * 50)))


def test_answers_of_the_target_that_may_not_be_used_are_not_looked_at() -> None:
    one = tasks(CLASSIFIERS[0])
    one.y[one.of(-1)] = "new"
    found = Adapted(Coral()).fit(one.X, one.y, sample_domain=one.domain)
    assert found.classes_.tolist() == ["no", "yes"]
    assert found.facts_.keys() == {"mean_distance", "covariance_distance"}
    right(found, one)
