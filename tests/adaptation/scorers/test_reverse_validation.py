"""Reverse validation: against a loop, on identical domains, where nothing can be learnt back, and in regression."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from headstart.adaptation.scorers.reverse_validation import reverse_validation

Array = np.ndarray[Any, Any]


def nearest(x: Array, y: Array) -> Callable[[Array], Array]:
    """One nearest neighbour, row by row."""
    return lambda rows: np.array(
        [y[min(range(len(x)), key=lambda i: float(((x[i] - row) ** 2).sum()))] for row in rows]
    )


def logistic(x: Array, y: Array) -> Callable[[Array], Array]:
    predict: Callable[[Array], Array] = LogisticRegression().fit(x, y).predict
    return predict


def two_classes(seed: int, rows: int = 200, by: float = 0.0) -> tuple[Array, Array]:
    random = np.random.default_rng(seed)
    y = random.integers(0, 2, rows)
    return random.normal(size=(rows, 2)) + 2 * y[:, None] + by, y


def test_follows_its_definition() -> None:
    (x, y), (z, _) = two_classes(0, 30), two_classes(1, 40, 0.5)
    p = LogisticRegression().fit(x, y).predict_proba(z)
    answers = [0 if row[0] >= row[1] else 1 for row in p]
    right = 0
    for row, code in zip(x, y, strict=True):
        distances = [((other - row) ** 2).sum() for other in z]
        right += answers[distances.index(min(distances))] == code
    assert reverse_validation(x, y, z, p, nearest) == right / 30


def test_of_identical_domains_is_near_the_plain_accuracy() -> None:
    """Learnt back from its own answers on the same rows, a logistic regression draws nearly the same line.

    Two lines that differ by the noise of a fit answer differently for a few rows at the border: 20 draws of 200 rows
    have a standard error under sqrt(.25 / 4000) = .008, of which .025 is three.
    """
    found = []
    for seed in range(20):
        x, y = two_classes(seed)
        model = LogisticRegression().fit(x, y)
        found.append((reverse_validation(x, y, x, model.predict_proba(x), logistic), model.score(x, y)))
    back, plain = np.mean(found, axis=0)
    assert back == pytest.approx(plain, abs=0.025)
    assert plain > 0.85


def test_answers_turned_round_come_back_wrong() -> None:
    x, y = two_classes(0)
    p = LogisticRegression().fit(x, y).predict_proba(x)
    assert reverse_validation(x, y, x, p[:, ::-1], logistic) < 0.15 < 0.85 < reverse_validation(x, y, x, p, logistic)


def test_a_target_of_one_class_teaches_that_class_and_fits_nothing() -> None:
    def never(x: Array, y: Array) -> Callable[[Array], Array]:
        raise AssertionError("fitted")

    x, y = two_classes(0)
    assert reverse_validation(x, y, x, np.tile([0.1, 0.9], (200, 1)), never) == np.mean(y == 1)


def test_only_target_rows_and_answers_are_learnt_back_from() -> None:
    given: list[tuple[Array, Array]] = []

    def kept(x: Array, y: Array) -> Callable[[Array], Array]:
        given.append((x, y))
        return logistic(x, y)

    (x, y), (z, _) = two_classes(0, 30), two_classes(1, 20)
    p = LogisticRegression().fit(x, y).predict_proba(z)
    reverse_validation(x, y, z, p, kept)
    assert len(given) == 1
    assert np.array_equal(given[0][0], z)
    assert np.array_equal(given[0][1], p.argmax(axis=1))


def test_regression_is_r2_of_what_comes_back() -> None:
    random = np.random.default_rng(0)
    x, z = random.normal(size=(50, 3)), random.normal(size=(60, 3)) + 1
    y = x @ [1.0, 2.0, -1.0] + random.normal(size=50)
    there = LinearRegression().fit(x, y)
    said = there.predict(z)

    def line(x: Array, y: Array) -> Callable[[Array], Array]:
        predict: Callable[[Array], Array] = LinearRegression().fit(x, y).predict
        return predict

    # Values on a plane are learnt back as that plane: the score is the plane's own R2.
    assert reverse_validation(x, y, z, said, line) == pytest.approx(there.score(x, y), abs=1e-9)
    assert reverse_validation(x, y, z, -said, line) < 0


X, Y, Z, P = np.ones((3, 2)), np.array([0, 1, 1]), np.ones((2, 2)), np.array([[0.9, 0.1], [0.2, 0.8]])


@pytest.mark.parametrize(
    ("x", "y", "z", "p", "words"),
    [
        (X, Y, Z, P[:1], "p_target has 1 rows and target 2: expected as many"),
        (X, Y[:2], Z, P, r"y has shape \(2,\): expected \(3,\), one answer a row"),
        (X, Y + 1, Z, P, "y holds values other than the class codes 0 to 1"),
        (X * np.nan, Y, Z, P, "source holds NaN or infinite"),
        (X, Y, Z[0], P, r"target has shape \(2,\): expected \(rows, columns\)"),
        (X, Y, Z, P + 1, "p_target has a least value of"),
        (X, np.ones(3), Z, np.ones(2), "y is 1 in every source row: expected values that vary"),
        (X, Y, Z, np.ones(3), "p_target has 3 rows and target 2: expected as many"),
        (X, Y[:2], Z, np.ones(2), "y has 2 rows and source 3: expected as many"),
    ],
)
def test_bad_input_in_words(x: Array, y: Array, z: Array, p: Array, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        reverse_validation(x, y, z, p, nearest)


def test_a_fit_that_answers_with_probabilities_is_refused() -> None:
    with pytest.raises(ValueError, match=r"learnt back said \(3, 2\) of the source rows: expected \(3,\) answers"):
        reverse_validation(X, Y, Z, P, lambda x, y: lambda rows: np.ones((len(rows), 2)))
