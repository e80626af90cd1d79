"""Rotation: four turns of one view, told by a linear layer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from headstart.pretraining.objective import Encoded
from headstart.pretraining.objectives.rotation import Rotation, Turned
from headstart.pretraining.variation import Variation

WHOLE = Variation(crop=1, flip=0, jitter=0, grey=0, blur=0)


def test_each_view_is_turned_by_a_quarter_more():
    picture = torch.randint(0, 256, (3, 6, 8), dtype=torch.uint8)
    views, numbers = Turned(WHOLE)(picture, np.random.default_rng(0))
    assert numbers is None
    assert views.shape == (4, 3, 6, 6)
    square = picture[:, :, 1:7]
    for turns, view in enumerate(views):
        np.testing.assert_array_equal(view, np.rot90(square.numpy(), turns, (1, 2)))


def test_the_cost_is_the_cross_entropy_over_all_turns():
    learner = Rotation().learner(torch.nn.Identity(), 5)
    features = torch.randn(3, 4, 5)
    p = learner.linear(features).softmax(2)
    expected = -sum(p[n, r, r].log().item() for n in range(3) for r in range(4)) / 12
    cost = learner(Encoded(features, (), torch.nn.Identity(), 0.0, torch.arange(3)))
    assert cost.item() == pytest.approx(expected, rel=1e-5)
