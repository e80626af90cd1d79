"""Merging folds: whole folds only, alike in size and classes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from headstart.data.splits.folds import merged


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3)), min_size=2, max_size=80), st.integers(2, 10))
def test_folds_stay_whole_and_none_is_lost(rows, at_most):
    folds, codes = np.array(rows).T
    folds = np.unique(folds, return_inverse=True)[1]
    found = merged(folds, codes, at_most)
    assert len(np.unique(found)) == min(at_most, folds.max() + 1) == found.max() + 1
    assert all(len(set(found[folds == fold])) == 1 for fold in folds)


def test_single_rows_are_dealt_by_class():
    codes = np.repeat([0, 1, 2], [20, 10, 5])
    found = merged(np.arange(35), codes, 5)
    for fold in range(5):
        assert np.bincount(codes[found == fold]).tolist() == [4, 2, 1]


def test_few_folds_are_left_as_they_are():
    folds = np.array([0, 1, 2, 0])
    assert merged(folds, np.zeros(4, dtype=int), 3) is folds
