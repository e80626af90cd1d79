"""Kernel smoothers against the same thing fitted again and again."""

from __future__ import annotations

import numpy as np
import torch

from headstart.table_prior.cells import cells_of
from headstart.table_prior.smoothers import SMOOTHERS, STRENGTHS, kernels, smoothed


def test_each_answer_is_that_of_a_fit_without_its_row():
    rng = np.random.default_rng(0)
    x = torch.tensor(rng.normal(size=(1, 14, 3)), dtype=torch.float32)
    y = torch.tensor(rng.normal(size=(1, 10, 2)), dtype=torch.float32)
    cells = cells_of(x, 10)
    result = smoothed(cells, y)
    mean = y[0].mean(0).double()
    for number, kernel in enumerate(kernels(cells, 10)):
        k, centred = kernel[0].double(), y[0].double() - mean
        best = None
        for strength in STRENGTHS:
            system = k[:10] + strength * torch.eye(10)
            left_out = torch.stack([_without(k, system, centred, row) for row in range(10)])
            error = float((left_out - centred).square().sum())
            if best is None or error < best[0]:
                best = error, torch.cat([left_out, k[10:] @ torch.linalg.solve(system, centred)])
        np.testing.assert_allclose(result.values[0, :, number], best[1] + mean, atol=1e-3)
        np.testing.assert_allclose(result.errors[0, number], best[0] / centred.square().sum(), rtol=1e-3)
    assert number == SMOOTHERS - 1


def _without(k, system, y, row):
    rest = [other for other in range(10) if other != row]
    return k[row, rest] @ torch.linalg.solve(system[rest][:, rest], y[rest])


def test_answers_that_are_all_alike_are_given_back():
    x = torch.randn(1, 9, 2, generator=torch.Generator().manual_seed(0))
    result = smoothed(cells_of(x, 6), torch.full((1, 6, 1), 3.0))
    torch.testing.assert_close(result.values, torch.full_like(result.values, 3.0))
