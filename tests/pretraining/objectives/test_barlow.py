"""Barlow Twins against the formula, element by element."""

from __future__ import annotations

import pytest
import torch

from headstart.pretraining.objectives.barlow import BarlowTwins, barlow_twins


def test_the_cost_is_that_of_the_paper():
    z, other = torch.randn(8, 5), torch.randn(8, 5)

    def unit(x):
        return (x - x.mean(0)) / x.var(0, correction=0).sqrt()

    a, b = unit(z), unit(other)
    cost = 0.0
    for i in range(5):
        for j in range(5):
            c = float(sum(a[n, i] * b[n, j] for n in range(8))) / 8
            cost += (1 - c) ** 2 if i == j else 0.1 * c**2
    assert float(barlow_twins(z, other, 0.1)) == pytest.approx(cost, rel=1e-3)


def test_views_that_agree_in_dimensions_of_their_own_cost_nothing():
    z = torch.linalg.qr(torch.randn(16, 6) - torch.randn(16, 6).mean(0))[0]
    z = z - z.mean(0)
    z = torch.linalg.qr(z)[0]
    assert float(barlow_twins(4 * z, 4 * z, 1.0)) < 0.05


def test_a_negative_weight_is_refused():
    with pytest.raises(ValueError, match="redundancy = -1: expected 0 or more"):
        BarlowTwins(redundancy=-1)
