"""What is told of a cell: by the context alone, free of units, and with gaps marked."""

from __future__ import annotations

import numpy as np
import torch
from scipy.stats import rankdata

from headstart.table_prior.cells import CELL, cells_of


def table(rows=12, columns=3, seed=0):
    return torch.tensor(np.random.default_rng(seed).normal(size=(1, rows, columns)), dtype=torch.float32)


def test_ranks_of_the_context_are_those_of_scipy():
    x = table()
    x[0, 3, 0] = x[0, 5, 0]
    expected = 2 * (rankdata(x[0, :8], axis=0) - 0.5) / 8 - 1
    np.testing.assert_allclose(cells_of(x, 8).ranks[0, :8], expected, atol=1e-6)


def test_a_rank_between_two_values_is_on_the_line_between_them():
    x = torch.tensor([[[0.0], [1.0], [3.0], [2.0], [9.0], [-9.0]]])
    ranks = cells_of(x, 3).ranks[0, :, 0]
    np.testing.assert_allclose(ranks, [-2 / 3, 0, 2 / 3, 1 / 3, 2 / 3, -2 / 3], atol=1e-6)


def test_nothing_changes_with_units_or_with_the_rows_asked():
    x = table()
    told = cells_of(x, 8).told
    torch.testing.assert_close(cells_of(1000 * x - 7, 8).told, told, atol=1e-4, rtol=0)
    other = torch.cat([x[:, :9], 100 * x[:, 9:]], 1)
    torch.testing.assert_close(cells_of(other, 8).told[:, :9], told[:, :9])


def test_gaps_and_columns_that_are_constant_or_empty_are_told_as_such():
    x = table()
    x[0, :, 0], x[0, :, 1], x[0, 2, 2] = 5e8, torch.nan, torch.nan
    cells = cells_of(x, 8)
    assert cells.told.shape == (1, 12, 3, CELL)
    assert cells.told.isfinite().all()
    assert not cells.scaled[..., :2].any()
    assert not cells.ranks[..., :2].any()
    assert cells.told[0, :, :, -1].sum(0).tolist() == [0, 12, 1]
