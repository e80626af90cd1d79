"""What embeddings tell of themselves, against the formulas."""

from __future__ import annotations

import math
from itertools import combinations

import pytest
import torch

from headstart.pretraining.embeddings import alignment, effective_rank, neighbour_accuracy, spread, uniformity


def test_the_effective_rank_counts_directions():
    two = torch.tensor([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]])
    assert effective_rank(two) == pytest.approx(2)
    assert effective_rank(torch.ones(5, 3)) == 1
    assert effective_rank(torch.outer(torch.arange(4.0), torch.ones(3))) == pytest.approx(1, abs=1e-6)
    x = torch.randn(9, 4).double()
    s = torch.linalg.svd(x - x.mean(0)).S
    p = [float(value / s.sum()) for value in s]
    assert effective_rank(x) == pytest.approx(math.exp(-sum(value * math.log(value) for value in p)))


def test_alignment_uniformity_and_spread_are_those_of_the_paper():
    x, y = torch.randn(7, 3), torch.randn(7, 3)
    u, v = [row / row.norm() for row in x], [row / row.norm() for row in y]
    apart = [float((a - b).square().sum()) for a, b in zip(u, v, strict=True)]
    assert alignment(x, y) == pytest.approx(sum(apart) / 7, rel=1e-5)
    distances = [float((a - b).square().sum()) for a, b in combinations(u, 2)]
    assert spread(x) == pytest.approx(sum(distances) / 21, rel=1e-5)
    assert uniformity(x) == pytest.approx(math.log(sum(math.exp(-2 * d) for d in distances) / 21), rel=1e-5)
    assert uniformity(torch.ones(4, 3)) == pytest.approx(0, abs=1e-6)


def test_neighbours_tell_classes_that_lie_apart_and_mistake_those_whose_nearest_are_of_others():
    codes = torch.arange(30) % 3
    apart = torch.eye(3)[codes] + 0.01 * torch.randn(30, 3)
    assert neighbour_accuracy(apart, codes) == 1
    twins = torch.eye(15).repeat(2, 1)
    assert neighbour_accuracy(twins, torch.arange(30) // 15) == 0
