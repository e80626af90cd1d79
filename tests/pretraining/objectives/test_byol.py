"""BYOL: the regression, and the teacher that follows."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from headstart.pretraining.objective import Encoded, EveryView
from headstart.pretraining.objectives.byol import BYOL, regression_cost


def test_the_cost_is_the_squared_distance_of_unit_vectors():
    p, z = torch.randn(8, 5), torch.randn(8, 5)
    apart = [float((a / a.norm() - b / b.norm()).square().sum()) for a, b in zip(p, z, strict=True)]
    assert float(regression_cost(p, z)) == pytest.approx(sum(apart) / 8, rel=1e-5)


def test_the_other_view_is_foretold_and_the_teacher_follows_as_the_paper_says():
    encoder = EveryView(nn.Linear(6, 4), 1)
    learner = BYOL(momentum=0.9, hidden=5, width=3).learner(encoder, 4)
    views = torch.randn(8, 2, 6)
    found = Encoded(encoder(views), (views,), encoder, 0.25, torch.arange(8))
    z = learner.g(encoder(views).flatten(0, 1))
    p, t = learner.q(z).unflatten(0, (8, 2)), z.unflatten(0, (8, 2))  # the teacher begins as its student
    expected = regression_cost(p[:, 0], t[:, 1]) + regression_cost(p[:, 1], t[:, 0])
    assert learner(found).item() == pytest.approx(expected.item(), rel=1e-4)
    old = encoder.module.weight.detach().clone()
    with torch.no_grad():
        encoder.module.weight.add_(1)
    learner.stepped(encoder)
    momentum = 1 - 0.1 * (math.cos(math.pi * 0.25) + 1) / 2
    followed = momentum * old + (1 - momentum) * (old + 1)
    torch.testing.assert_close(learner.f_t.module.module.weight, followed)
    assert not any(weights.requires_grad for weights in learner.f_t.parameters())


def test_a_momentum_of_one_is_refused():
    with pytest.raises(ValueError, match="momentum = 1: expected 0 or more, and less than 1"):
        BYOL(momentum=1)
