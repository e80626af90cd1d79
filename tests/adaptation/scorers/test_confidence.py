"""Criteria of answers alone, the neighbourhood of rows, and shares: against loops, and what must hold of them."""

from __future__ import annotations

from itertools import pairwise
from math import exp, log
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.adaptation.scorers import neighbourhood_density as choose_neighbours
from headstart.adaptation.scorers.confidence import infomax, mano, mean_entropy, power_mean
from headstart.adaptation.scorers.neighbourhood_density import cost, neighbourhood_density
from headstart.adaptation.scorers.share_gap import share_gap

Array = np.ndarray[Any, Any]
SURE = np.eye(3)[[0, 1, 2, 0, 1, 2]]
SIZES = {"rows": st.integers(3, 30), "classes": st.integers(2, 5), "seed": st.integers(0, 999)}


def some(rows: int, classes: int, seed: int) -> tuple[Array, Array]:
    """Logits and their softmax, one element at a time."""
    q = np.random.default_rng(seed).normal(size=(rows, classes)) * 3
    return q, np.array([[exp(v) / sum(exp(u) for u in row) for v in row] for row in q])


def entropy(p: Any) -> float:
    return -sum(float(v) * log(v) for v in p if v > 0)


@settings(max_examples=30, deadline=None)
@given(**SIZES)
def test_follow_their_definitions(rows: int, classes: int, seed: int) -> None:
    q, p = some(rows, classes, seed)
    mean = [sum(row[c] for row in p) / rows for c in range(classes)]
    each = sum(entropy(row) for row in p) / rows
    assert mean_entropy(p) == pytest.approx(each, abs=1e-12)
    assert infomax(p) == pytest.approx(entropy(mean) - each, abs=1e-12)
    phi = -sum(log(v) for row in p for v in row) / (rows * classes)
    taylor = [[(1 + v + v * v / 2) / sum(1 + u + u * u / 2 for u in row) for v in row] for row in q]
    normal = p if phi > 5 else taylor
    assert mano(q) == pytest.approx((sum(v**4 for row in normal for v in row) / (rows * classes)) ** 0.25, abs=1e-12)
    assert neighbourhood_density(p) == pytest.approx(density_by_loop(p, 0.05), abs=1e-10)


def density_by_loop(p: Array, temperature: float) -> float:
    total = 0.0
    for j in range(len(p)):
        close = []
        for k in range(len(p)):
            if k != j:
                cosine = sum(p[j] * p[k]) / (sum(p[j] ** 2) ** 0.5 * sum(p[k] ** 2) ** 0.5)
                close.append(exp(cosine / temperature))
        total += entropy([value / sum(close) for value in close])
    return total / len(p)


def test_sure_answers_have_no_entropy_and_idle_ones_all() -> None:
    assert mean_entropy(SURE) == 0
    assert mean_entropy(np.full((4, 5), 0.2)) == pytest.approx(log(5))


def test_infomax_is_highest_for_sure_and_balanced_answers() -> None:
    assert infomax(SURE) == pytest.approx(log(3))
    assert infomax(np.eye(3)[[0, 0, 0, 0]]) == pytest.approx(0, abs=1e-12)
    assert infomax(np.full((4, 3), 1 / 3)) == pytest.approx(0, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(**SIZES)
def test_infomax_lies_between_none_and_the_log_of_the_classes(rows: int, classes: int, seed: int) -> None:
    assert -1e-12 <= infomax(some(rows, classes, seed)[1]) <= log(classes)


def test_mano_rises_with_sureness_and_takes_the_softmax_where_logits_are_far_apart() -> None:
    q = some(20, 4, 0)[0]
    values = [mano(q * by, threshold=1e-9) for by in (0.1, 0.5, 1.0, 2.0)]
    assert all(one < two for one, two in pairwise(values))
    far = np.eye(3)[[0, 1, 2]] * 40
    assert mano(far) == pytest.approx((1 / 3) ** 0.25, abs=1e-12)
    assert mano(far, threshold=100) < (1 / 3) ** 0.25 - 1e-4
    assert power_mean(SURE) == pytest.approx((1 / 3) ** 0.25)


def test_density_does_not_depend_on_the_order_of_rows_or_classes_nor_on_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    p = some(50, 3, 1)[1]
    whole, order = neighbourhood_density(p), np.random.default_rng(0).permutation(50)
    assert neighbourhood_density(p[order]) == pytest.approx(whole, abs=1e-12)
    assert neighbourhood_density(p[:, ::-1]) == pytest.approx(whole, abs=1e-12)
    monkeypatch.setattr(choose_neighbours, "_AT_ONCE", 7)
    assert neighbourhood_density(p) == pytest.approx(whole, abs=1e-12)


def test_density_of_like_rows_is_the_log_of_their_number() -> None:
    assert neighbourhood_density(np.tile([0.7, 0.3], (9, 1))) == pytest.approx(log(8))
    clusters = np.repeat(np.eye(3), 5, axis=0)
    assert neighbourhood_density(clusters, temperature=0.01) == pytest.approx(log(4))


def test_density_of_a_sample_of_rows() -> None:
    p = some(40, 3, 2)[1]
    assert neighbourhood_density(p, most=40) == neighbourhood_density(p)
    assert neighbourhood_density(p, most=10) == neighbourhood_density(p, most=10)
    assert neighbourhood_density(p, most=10) != neighbourhood_density(p, most=10, seed=1)
    assert neighbourhood_density(p, most=10) <= log(9)


def test_density_says_its_cost_and_refuses_above_the_limit() -> None:
    p = np.tile([0.7, 0.3], (1000, 1))
    assert cost(1000) == 8_000_000
    with pytest.raises(ValueError, match=r"1,000 rows would come to 0.0 GB, above the limit of 0.001: use most=353"):
        neighbourhood_density(p, limit=0.001)
    assert neighbourhood_density(p, limit=0.001, most=353) == pytest.approx(log(352))


def test_gap_of_shares() -> None:
    assert share_gap(SURE, np.full(3, 1 / 3)) == pytest.approx(0, abs=1e-12)
    assert share_gap(SURE, np.array([1.0, 0, 0])) == pytest.approx(2 / 3)
    assert share_gap(np.array([[0.6, 0.4], [0.9, 0.1]]), np.array([0.0, 1.0])) == 1
    assert share_gap(np.array([[0.6, 0.4], [0.1, 0.9]]), np.array([0.25, 0.75])) == pytest.approx(0.25)


@pytest.mark.parametrize("measure", [mean_entropy, infomax, power_mean, neighbourhood_density])
@pytest.mark.parametrize(
    ("p", "words"),
    [
        (np.full((4, 2), 0.6), "p_target has a least value of 0.6 and rows up to 0.2 off a sum of 1"),
        (np.array([[np.inf, 0.0]] * 4), "p_target holds NaN or infinite numbers"),
        (np.full(4, 0.5), r"p_target has shape \(4,\): expected \(rows, columns\), one row at least"),
        (np.empty((0, 2)), r"p_target has shape \(0, 2\)"),
    ],
)
def test_answers_that_are_none_are_refused(measure: Any, p: Array, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        measure(p)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"temperature": 0}, "temperature=0: expected a finite number above 0, such as 0.05"),
        ({"temperature": float("nan")}, "temperature=nan: expected"),
        ({"limit": -1}, "limit=-1: expected a finite number above 0"),
        ({"most": 2}, "most=2: expected a whole number of 3 or more"),
        ({"most": 2.5}, "most=2.5: expected a whole number"),
    ],
)
def test_bad_options_of_the_density(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        neighbourhood_density(SURE, **options)


def test_too_few_rows_options_and_shares_in_words() -> None:
    with pytest.raises(ValueError, match=r"p_target has 2 row\(s\): expected 3 or more"):
        neighbourhood_density(SURE[:2])
    with pytest.raises(ValueError, match="power=0: expected a finite number above 0, such as 4"):
        mano(SURE, power=0)
    with pytest.raises(ValueError, match="threshold=True: expected"):
        mano(SURE, threshold=True)
    with pytest.raises(ValueError, match="logits holds NaN"):
        mano(SURE * np.nan)
    for shares in ([0.5, 0.5], [0.5, 0.6, 0.1], [1.5, -0.5, 0]):
        with pytest.raises(ValueError, match=rf"shares has {len(shares)} values .* expected 3, one a class"):
            share_gap(SURE, np.array(shares))
