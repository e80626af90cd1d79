"""VIME: masked cells, and the cost against its formula."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from headstart.pretraining.objectives.vime import VIME, MaskedCells, vime

OWNERS = np.array([0, 1, 1, 2])


def test_the_cost_is_that_of_the_paper():
    m, x, rows, mask = torch.randn(5, 4), torch.randn(5, 4), torch.randn(5, 4), torch.rand(5, 4).round()
    terms = []
    for n in range(5):
        for d in range(4):
            p = 1 / (1 + math.exp(-float(m[n, d])))
            told = -math.log(p) if mask[n, d] else -math.log(1 - p)
            terms.append(told + 2 * float((x[n, d] - rows[n, d]) ** 2))
    assert vime(m, x, rows, mask, 2.0).item() == pytest.approx(sum(terms) / 20, rel=1e-4)


def test_cells_are_of_others_where_the_mask_says_so():
    rows, others = np.zeros((200, 4), np.float32), np.ones((200, 4), np.float32)
    views, same, mask = MaskedCells(0.3)(rows, others, OWNERS, [np.random.default_rng(row) for row in range(200)])
    assert views.shape == (200, 1, 4)
    assert np.array_equal(views[:, 0], mask)
    assert same is rows
    assert np.array_equal(mask[:, 1], mask[:, 2])
    assert 0.2 < mask.mean() < 0.4


def test_options_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="hidden = 0: expected a share between 0 and 1"):
        VIME(hidden=0)
