"""VICReg against algorithm 1 of the paper, element by element."""

from __future__ import annotations

import pytest
import torch

from headstart.pretraining.objectives.vicreg import VICReg, vicreg


def naive(z, other, i, v, c):
    n, d = z.shape
    cost = i * sum(float((z[a, b] - other[a, b]) ** 2) for a in range(n) for b in range(d)) / (n * d)
    for x in (z, other):
        mean = [float(sum(x[:, b])) / n for b in range(d)]
        cov = [
            [sum(float((x[k, a] - mean[a]) * (x[k, b] - mean[b])) for k in range(n)) / (n - 1) for b in range(d)]
            for a in range(d)
        ]
        cost += v * sum(max(0.0, 1 - (cov[b][b] + 1e-4) ** 0.5) for b in range(d)) / d
        cost += c * sum(cov[a][b] ** 2 for a in range(d) for b in range(d) if a != b) / d
    return cost


def test_the_cost_is_that_of_the_paper():
    z, other = torch.randn(8, 5), torch.randn(8, 5) / 2
    assert float(vicreg(z, other, (25.0, 20.0, 3.0))) == pytest.approx(naive(z, other, 25, 20, 3), rel=1e-4)


def test_one_point_costs_the_whole_variance_term():
    z = torch.ones(8, 5)
    assert float(vicreg(z, z, (25.0, 25.0, 1.0))) == pytest.approx(2 * 25 * (1 - 1e-2), rel=1e-4)


def test_a_negative_weight_is_refused():
    with pytest.raises(ValueError, match="variance = -1: expected 0 or more"):
        VICReg(variance=-1)
