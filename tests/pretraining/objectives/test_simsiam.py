"""SimSiam: the symmetric cosine, and no gradient through the other side."""

from __future__ import annotations

import pytest
import torch

from headstart.pretraining.objective import Encoded
from headstart.pretraining.objectives.simsiam import SimSiam, negative_cosine


def test_the_cost_is_the_cosine_without_a_gradient_of_the_other_side():
    p, z = torch.randn(8, 5, requires_grad=True), torch.randn(8, 5, requires_grad=True)
    cost = negative_cosine(p, z)
    each = [(a @ b / (a.norm() * b.norm())).item() for a, b in zip(p, z, strict=True)]
    assert cost.item() == pytest.approx(-sum(each) / 8, rel=1e-5)
    cost.backward()
    assert z.grad is None
    assert p.grad.abs().max() > 0


def test_both_directions_count_alike():
    learner = SimSiam(hidden=8, width=4, bottleneck=3).learner(torch.nn.Identity(), 6)
    features = torch.randn(8, 2, 6)
    rows = Encoded(features, (), torch.nn.Identity(), 0.0, torch.arange(8))
    z = learner.g(features.flatten(0, 1))
    p, z = learner.h(z).unflatten(0, (8, 2)), z.unflatten(0, (8, 2))
    both = [negative_cosine(p[:, a], z[:, 1 - a]).item() for a in (0, 1)]
    assert learner(rows).item() == pytest.approx(sum(both) / 2, rel=1e-4)
    assert learner(rows._replace(features=features.flip(1))).item() == pytest.approx(sum(both) / 2, rel=1e-3)


def test_a_width_of_nothing_is_refused():
    with pytest.raises(ValueError, match="bottleneck = 0: expected 1 or more"):
        SimSiam(bottleneck=0)
