"""Jigsaw: permutations that differ, tiles that are put in their order, and pictures that cannot be cut."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch
from small import RESNET

from headstart.backbones.load import load
from headstart.pretraining.objective import Encoded
from headstart.pretraining.objectives.jigsaw import Jigsaw, Tiles, far_apart
from headstart.pretraining.row import resized
from headstart.pretraining.variation import Variation

WHOLE = Variation(crop=1, flip=0, jitter=0, grey=0, blur=0)


def test_orders_are_permutations_that_differ_in_most_places():
    orders = far_apart(16)
    assert orders.shape == (16, 9)
    assert (np.sort(orders, 1) == np.arange(9)).all()
    assert min((one != other).sum() for one, other in combinations(orders, 2)) >= 7


def test_tiles_come_from_their_cells_in_the_order_that_is_told():
    picture = torch.arange(9, dtype=torch.uint8).reshape(3, 3).repeat_interleave(8, 0).repeat_interleave(8, 1)
    views = Tiles(WHOLE, far_apart(4), 8, 6)
    tiles, number = views(picture.expand(3, -1, -1), np.random.default_rng(1))
    assert tiles.shape == (9, 3, 6, 6)
    assert tiles.flatten(1).float().std(1).max() == 0
    assert tiles[:, 0, 0, 0].tolist() == far_apart(4)[number[0]].tolist()


def test_the_cost_is_the_cross_entropy_of_the_order():
    learner = Jigsaw(orders=4, hidden=6).learner(torch.nn.Identity(), 5)
    features, numbers = torch.randn(3, 9, 5), torch.tensor([[2], [0], [3]])
    p = learner.layers(features.flatten(1)).softmax(1)
    expected = -sum(p[n, numbers[n, 0]].log().item() for n in range(3)) / 3
    cost = learner(Encoded(features, (torch.zeros(3), numbers), torch.nn.Identity(), 0.0, torch.arange(3)))
    assert cost.item() == pytest.approx(expected, rel=1e-5)


def test_pictures_too_small_to_cut_are_refused_and_the_least_size_that_is_named_is_not():
    small = resized(load(RESNET), 48)
    with pytest.raises(ValueError, match=r"pictures of 48 pixels are too small to cut: .* would have 14 .* size=57 or"):
        Jigsaw().views(small, WHOLE)
    assert Jigsaw().views(resized(small, 57), WHOLE).tile == 16
    with pytest.raises(ValueError, match="orders is 1: expected a number from 2 to 1000"):
        Jigsaw(orders=1)
