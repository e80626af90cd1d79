"""Two-sample tests: uniform p-values where nothing differs, small ones where something does, refusals in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist

from headstart.adaptation.shift.two_sample import classifier_test, mmd

Array = np.ndarray[Any, Any]


def normal(seed: int, rows: int, columns: int = 2, mean: float = 0.0) -> Array:
    return np.random.default_rng(seed).normal(mean, 1, (rows, columns))


def test_mmd_is_the_formula() -> None:
    x, y = normal(0, 12), normal(1, 9, mean=0.7)
    both = np.concatenate([x, y])
    a, b = (x - both.mean(axis=0)) / both.std(axis=0), (y - both.mean(axis=0)) / both.std(axis=0)
    both = np.concatenate([a, b])
    width = np.median(cdist(both, both)[np.triu_indices(21, 1)])

    def mean(p: Array, q: Array, apart: bool) -> float:
        kernel = np.exp(-(cdist(p, q) ** 2) / (2 * width**2))
        return float(kernel[~np.eye(len(p), dtype=bool)].mean() if apart else kernel.mean())

    found = mmd(x, y)
    assert found.value == pytest.approx(mean(a, a, True) + mean(b, b, True) - 2 * mean(a, b, False), abs=1e-12)
    assert found.distance == pytest.approx(np.sqrt(mean(a, a, False) + mean(b, b, False) - 2 * mean(a, b, False)))
    assert found.width == pytest.approx(width)


def test_mmd_of_a_set_to_itself_is_0() -> None:
    x = normal(0, 50)
    assert mmd(x, x[::-1]).distance == 0
    assert mmd(x, x).p > 0.9
    assert mmd(np.ones((5, 2)), np.ones((7, 2))).p == 1


@pytest.mark.parametrize("rows", [(40, 40), (30, 80)])
def test_p_values_are_uniform_where_nothing_differs(rows: tuple[int, int]) -> None:
    pairs = [(normal(seed, rows[0]), normal(1000 + seed, rows[1])) for seed in range(150)]
    kernel = [mmd(x, y, draws=100, seed=seed).p for seed, (x, y) in enumerate(pairs)]
    told = [classifier_test(x, y, kind="logistic", draws=100, seed=seed).p for seed, (x, y) in enumerate(pairs)]
    for found in (kernel, told):
        assert stats.kstest(found, "uniform").pvalue > 0.005
        assert np.mean(np.array(found) < 0.05) < 0.11


def test_boosted_trees_seldom_cry_wolf() -> None:
    found = [classifier_test(normal(s, 60), normal(500 + s, 60), draws=100, seed=s).p for s in range(10)]
    assert np.sum(np.array(found) < 0.05) <= 2


def test_a_move_and_a_change_of_shape_are_seen() -> None:
    x = normal(0, 150)
    assert mmd(x, normal(1, 150, mean=0.6)).p < 0.01
    assert mmd(x, 2 * normal(1, 150)).p < 0.01
    far = classifier_test(x, normal(1, 150, mean=3.0))
    assert far.p < 0.01
    assert min(far.auc, far.accuracy) > 0.95
    assert classifier_test(x, 3 * normal(1, 150)).p < 0.01


def test_the_rows_that_drive_it() -> None:
    y = normal(1, 60)
    y[[7, 30, 31, 32, 50]] += 6
    found = classifier_test(normal(0, 100), y, kind="logistic")
    assert set(found.most_like_target(5)) == {7, 30, 31, 32, 50}
    assert [len(part) for part in found.scores] == [100, 60]


def test_weights_make_the_source_look_like_the_target() -> None:
    """A source of two clumps, 1 : 1, and a target of the same two, 9 : 1."""
    x, y = normal(0, 200), normal(1, 100)
    x[:100] += 4
    y[:90] += 4
    weights = np.where(np.arange(200) < 100, 1.8, 0.2)
    assert max(mmd(x, y).p, classifier_test(x, y).p) < 0.01
    assert min(mmd(x, y, weights=weights).p, classifier_test(x, y, weights=weights).p) > 0.05
    assert mmd(x, y, weights=weights[::-1]).p < 0.01


def test_of_many_rows_a_sample_is_taken() -> None:
    x, y = normal(0, 3000), normal(1, 2500)
    assert mmd(x, y, most=100, draws=20).rows == (100, 100)
    scores = classifier_test(x, y, most=200, draws=20, kind="logistic").scores
    assert [int(np.isfinite(part).sum()) for part in scores] == [200, 200]


def test_more_columns_than_rows_and_constant_ones() -> None:
    x, y = normal(0, 20, 60), normal(1, 25, 60, mean=1.0)
    x[:, 3] = y[:, 3] = 7.0
    assert mmd(x, y).p < 0.01
    assert classifier_test(x, y).p < 0.01


@pytest.mark.parametrize(
    ("x", "y", "weights", "words"),
    [
        (normal(0, 1), normal(0, 5), None, "two rows or more"),
        (normal(0, 5), normal(0, 5) * np.nan, None, "y holds NaN or infinite"),
        (normal(0, 5), normal(0, 5, 3), None, "x has 2 columns and y 3"),
        (normal(0, 5), normal(0, 5), np.zeros(5), "one above 0"),
        (normal(0, 5), normal(0, 5), np.ones(4), "expected 5 numbers"),
    ],
)
def test_refusals(x: Array, y: Array, weights: Array | None, words: str) -> None:
    for test in (mmd, classifier_test):
        with pytest.raises(ValueError, match=words):
            test(x, y, weights=weights)
