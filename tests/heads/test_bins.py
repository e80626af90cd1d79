"""Columns in bins: the bins of scikit-learn, and trees that ask for numbers again afterwards."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.ensemble import HistGradientBoostingRegressor

from headstart.heads.bins import edges_of, in_bins
from headstart.heads.trees import Trees
from headstart.tasks import CLASSIFICATION

COLUMNS = arrays.arrays(
    np.float32, st.tuples(st.integers(1, 60), st.integers(1, 3)), elements=st.floats(-1e6, 1e6, width=32)
)


@given(COLUMNS, st.integers(2, 12))
def test_a_bin_is_what_lies_between_its_edges(x, most):
    edges = edges_of(x, most)
    codes = in_bins(x, edges)
    for column, code, above in zip(x.T, codes.T.astype(int), edges, strict=True):
        assert len(above) < most
        assert (np.diff(above) > 0).all()
        bounded = np.concatenate([[-np.inf], above, [np.inf]])
        assert ((bounded[code] < column) & (column <= bounded[code + 1])).all()


def test_of_many_rows_in_an_order_all_parts_are_looked_at(monkeypatch):
    monkeypatch.setattr("headstart.heads.bins._ROWS", 100)
    (edges,) = edges_of(np.arange(1000.0)[:, None], 4)
    np.testing.assert_allclose(edges, [250, 500, 750], atol=10)


def test_what_is_not_known_is_in_no_bin():
    x = np.array([[1.0, np.nan], [np.nan, np.nan], [3.0, np.nan]])
    edges = edges_of(x, 8)
    np.testing.assert_array_equal(in_bins(x, edges), [[0, np.nan], [np.nan, np.nan], [1, np.nan]])
    np.testing.assert_array_equal(in_bins(np.array([[2.0, 5.0], [2.1, -np.inf]]), edges), [[0, 0], [1, 0]])


@pytest.mark.parametrize("kinds", [5, 64, 400])
def test_trees_on_bins_are_those_of_scikit_learn_on_numbers(kinds):
    rng = np.random.default_rng(0)
    x = rng.integers(0, kinds, (500, 3)) / 7 if kinds < 400 else rng.normal(size=(500, 3))
    y = np.sin(x[:, 0]) + x[:, 1] ** 2 / 9
    x[::17, 2] = np.nan
    options = {"max_iter": 20, "max_bins": 64, "early_stopping": False}
    edges = edges_of(x, 64)
    plain = HistGradientBoostingRegressor(**options).fit(x, y)
    binned = HistGradientBoostingRegressor(**options).fit(in_bins(x, edges), y)
    np.testing.assert_allclose(binned.predict(in_bins(x, edges)), plain.predict(x), atol=1e-9)


@pytest.mark.parametrize("class_weight", [None, {1: 9.0}])
def test_rows_of_one_bin_are_answered_alike(class_weight):
    x = np.random.default_rng(1).integers(-20, 20, (300, 3)).astype(np.float32) / 4
    y = np.digitize(x[:, 0] * x[:, 1], [-2, 2])
    made = Trees(bins=16)(x, y, kind=CLASSIFICATION, classes=3, folds=np.arange(300) % 3, class_weight=class_weight)
    edges = edges_of(x, 16)
    codes = in_bins(x, edges).astype(int)
    ends = [np.append(above, 1e6) for above in edges]
    moved = np.stack([end[code] for end, code in zip(ends, codes.T, strict=True)], axis=1)
    assert not np.array_equal(moved, x)
    np.testing.assert_array_equal(made.head.predict(moved), made.head.predict(x))
    past = moved + 0.01  # of a bin's upper edge, in the next bin
    assert not np.allclose(made.head.predict(past), made.head.predict(x))
