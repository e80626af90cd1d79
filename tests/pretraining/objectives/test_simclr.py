"""NT-Xent against the formula, term by term."""

from __future__ import annotations

import math

import pytest
import torch

from headstart.pretraining.objectives.simclr import SimCLR, nt_xent


def cosine(one, other):
    return float(one @ other / (one.norm() * other.norm()))


def test_the_cost_is_that_of_the_paper():
    z_i, z_j = torch.randn(8, 5), torch.randn(8, 5)
    z, t = [*z_i, *z_j], 0.3
    pairs = [(n, n + 8) for n in range(8)] + [(n + 8, n) for n in range(8)]
    terms = []
    for i, j in pairs:
        others = sum(math.exp(cosine(z[i], z[k]) / t) for k in range(16) if k != i)
        terms.append(-math.log(math.exp(cosine(z[i], z[j]) / t) / others))
    assert float(nt_xent(z_i, z_j, t)) == pytest.approx(sum(terms) / 16, rel=1e-5)


def test_pairs_that_are_alike_and_apart_from_all_others_cost_nearly_nothing():
    z = torch.eye(8)
    assert float(nt_xent(z, 3 * z, 0.01)) < 1e-6 < float(nt_xent(z, z.roll(1, 0), 0.01))


def test_options_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="temperature = 0: expected more than 0"):
        SimCLR(temperature=0)
    with pytest.raises(ValueError, match="width = 0: expected 1 or more"):
        SimCLR(width=0)
