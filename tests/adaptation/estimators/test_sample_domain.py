"""Rows of two tasks in one X: which are of the source, which answers are known, and what is wrong, in words."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier

from headstart.adaptation.estimators.sample_domain import answered, domains_of, have_answers, sources, weighable
from headstart.adaptation.estimators.self_training import SelfTraining

X = np.arange(12.0).reshape(6, 2)
DOMAIN = [1, 3, 1, -1, -2, -1]


def test_signs_say_which_rows_are_of_the_source() -> None:
    assert sources(DOMAIN, 6).tolist() == [True, True, True, False, False, False]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "sample_domain is missing"),
        ([1, -1], r"sample_domain has shape \(2,\): expected \(6,\)"),
        ([1, 1, 1, 0, -1, -1], "sample_domain holds 0 or NaN"),
        ([1, 1, 1, np.nan, -1, -1], "sample_domain holds 0 or NaN"),
        ([1] * 6, "names no target row"),
        ([-1] * 6, "names no source row"),
    ],
)
def test_signs_that_do_not_say_are_named(given: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        sources(given, 6)


@pytest.mark.parametrize(
    "y",
    [
        [4, 9, 4, 9, -1, 4],
        [4.0, 9.0, 4.0, 9.0, np.nan, 4.0],
        np.array(["d", "i", "d", "i", None, "d"], dtype=object),
        ["d", "i", "d", "i", "-1", "d"],
    ],
)
def test_classes_are_codes_and_unknown_ones_are_minus_one(y: Any) -> None:
    model = LogisticRegression()
    domains = domains_of(model, X, y, DOMAIN)
    assert model.classes_.tolist() == sorted(set(np.asarray(y).tolist()[:3]))
    assert domains.classes == model.n_features_in_ == 2
    assert domains.targets.tolist() == [0, 1, 0]
    assert domains.known is not None
    assert domains.known.tolist() == [1, -1, 0]
    rows, answers = answered(domains, "A step")
    np.testing.assert_array_equal(rows, X[[3, 5]])
    assert answers.tolist() == [1, 0]


def test_minus_one_is_a_class_where_the_source_has_it() -> None:
    domains = domains_of(LogisticRegression(), X, [-1, 1, -1, 1, -1, np.nan], DOMAIN)
    assert domains.known is not None
    assert domains.known.tolist() == [1, 0, -1]
    with pytest.raises(ValueError, match="all target rows say -1, which is a class of the source here"):
        domains_of(LogisticRegression(), X, [-1, 1, -1, -1, -1, -1], DOMAIN)


def test_a_class_may_be_called_none() -> None:
    domains = domains_of(LogisticRegression(), X, ["Mild", "None", "Mild", "None", "Mild", "Mild"], DOMAIN)
    assert domains.targets.tolist() == [0, 1, 0]
    assert domains.known.tolist() == [1, 0, 0]


def test_answers_that_are_no_numbers_are_named() -> None:
    with pytest.raises(ValueError, match="y holds <NA>: expected numbers"):
        domains_of(Ridge(), X, np.array([1, 2, 3, pd.NA, 5, 6], dtype=object), DOMAIN)


def test_unknown_values_are_nan_and_several_answers_are_known_together() -> None:
    one = domains_of(Ridge(), X, [1, 2, 3, 4, np.nan, 6], DOMAIN)
    assert one.classes == 0
    assert answered(one, "A step")[1].tolist() == [4, 6]
    two = domains_of(Ridge(), X, [[1, 1], [2, 2], [3, 3], [4, np.nan], [5, 5], [np.nan, np.nan]], DOMAIN)
    assert answered(two, "A step")[1].tolist() == [[5, 5]]


def test_answers_that_may_not_be_used_are_not_looked_at() -> None:
    hidden = domains_of(LogisticRegression(), X, [0, 1, 0, 5, 6, 7], DOMAIN, look=False)
    assert hidden.known is not None
    assert hidden.known.tolist() == [-1, -1, -1]
    assert not have_answers(hidden).any()
    assert have_answers(hidden._replace(known=None)).tolist() == [False] * 3
    values = domains_of(Ridge(), X, [1, 2, 3, np.inf, 5, 6], DOMAIN, look=False)
    assert np.isnan(values.known).all()
    assert SelfTraining().fit(X, ["a", "b", "a", "new", "b", "a"], sample_domain=DOMAIN).classes_.tolist() == ["a", "b"]


def test_what_answers_must_be_is_said() -> None:
    with pytest.raises(ValueError, match=r"target rows are of classes \['c'\] that no source row has"):
        domains_of(LogisticRegression(), X, ["a", "b", "a", "c", "b", "-1"], DOMAIN)
    with pytest.raises(ValueError, match="NaN or None in a source row: expected a class"):
        domains_of(LogisticRegression(), X, [0, np.nan, 1, 0, 0, 0], DOMAIN)
    with pytest.raises(ValueError, match="infinity, or NaN in a source row"):
        domains_of(Ridge(), X, [0, 1, 2, np.inf, 0, 0], DOMAIN)
    with pytest.raises(ValueError, match=r"y has shape \(2,\) for 6 rows"):
        domains_of(Ridge(), X, [0, 1], DOMAIN)
    with pytest.raises(ValueError, match=r"y has shape \(\) for 6 rows"):
        domains_of(Ridge(), X, None, DOMAIN)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        domains_of(Ridge(), np.where(X == 3, np.nan, X), np.ones(6), DOMAIN)
    with pytest.raises(ValueError, match=r"takes no sample_weight, and A step weighs rows"):
        weighable(KNeighborsClassifier(), "A step")
