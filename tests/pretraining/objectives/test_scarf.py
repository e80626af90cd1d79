"""SCARF: cells of other rows, whole columns of the table at a time."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.pretraining.objectives.scarf import SCARF, Corrupted

OWNERS = np.array([0, 1, 1, 2, 3, 4])
"""Of six numbers: the second column of the table became two of them."""


def test_as_many_columns_of_every_row_are_of_others_and_the_rest_stays():
    rows, others = np.zeros((20, 6), np.float32), np.ones((20, 6), np.float32)
    draws = [np.random.default_rng(row) for row in range(20)]
    (views,) = Corrupted(0.6)(rows, others, OWNERS, draws)
    assert views.shape == (20, 2, 6)
    assert not views[:, 0].any()
    assert np.array_equal(views[:, 1, 1], views[:, 1, 2])
    columns = views[:, 1][:, [0, 1, 3, 4, 5]]
    assert (columns.sum(1) == 3).all()
    assert columns.sum(0).min() > 4


def test_at_least_one_column_and_options_that_cannot_be():
    (views,) = Corrupted(0.01)(np.zeros((3, 6)), np.ones((3, 6)), OWNERS, [np.random.default_rng(0)] * 3)
    assert (views[:, 1].sum(1) >= 1).all()
    with pytest.raises(ValueError, match="corrupted = 1: expected a share between 0 and 1"):
        SCARF(corrupted=1)
