"""Strata: counts of classes, labels and quantile bins in each block."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.data.splits.strata import strata_counts
from headstart.errors import DataError
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION


def test_classes_are_counted_block_by_block() -> None:
    counts = strata_counts(np.array([0, 2, 2, 0]), CLASSIFICATION, np.array([0, 0, 1, 0]))
    assert counts.toarray().tolist() == [[2, 0, 1, 3], [0, 0, 1, 1]]


def test_labels_are_counted_each() -> None:
    counts = strata_counts(np.array([[1, 0, 1], [0, 0, 0]], np.uint8), MULTILABEL, np.array([0, 1]))
    assert counts.toarray().tolist() == [[1, 0, 1, 1], [0, 0, 0, 1]]


def test_numbers_fall_into_quantile_bins_and_equal_numbers_into_one() -> None:
    values = np.concatenate([np.zeros(50), np.arange(150)])
    counts = strata_counts(values, REGRESSION, np.arange(200)).toarray()
    assert counts[:, -1].sum() == 200
    assert len({tuple(row) for row in counts[:51]}) == 1
    assert counts.sum(axis=0)[:-1].max() == 51


def test_without_targets_all_rows_are_one_stratum() -> None:
    assert strata_counts(None, CLASSIFICATION, np.array([0, 1, 1])).toarray().tolist() == [[1], [2]]


def test_missing_targets_are_refused() -> None:
    with pytest.raises(DataError, match="1 of 2 targets are missing: set these rows aside"):
        strata_counts(np.array([1.0, np.nan]), REGRESSION, np.arange(2))
    with pytest.raises(DataError, match="2 of 3 targets are missing"):
        strata_counts(np.array([0, -1, -1]), CLASSIFICATION, np.arange(3))


def test_as_many_targets_as_rows_are_wanted() -> None:
    with pytest.raises(ValueError, match="one target a row: got 2 targets for 3 rows"):
        strata_counts(np.array([0, 1]), CLASSIFICATION, np.arange(3))
