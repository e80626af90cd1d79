"""Inner loops: closed forms on a quadratic, and a numeric gradient beside second derivatives."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from headstart.meta_learning.learner import Batch
from headstart.meta_learning.maml import FOMAML, MAML
from headstart.meta_learning.reptile import Reptile
from headstart.tasks import CLASSIFICATION, REGRESSION

LR, STEPS, THETA = 0.1, 3, 2.0
SUPPORT, QUERY = (1.0, 0.5), (-1.0, 4.0)
SHRINK = (1 - 2 * LR) ** STEPS


def quadratic():
    """theta, which answers itself: the loss of a value c is (theta - c)^2."""
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, THETA)
    return network


def episode(support, query):
    return Batch((torch.ones(2, 1),), torch.tensor([support, query]), 1, 1, REGRESSION, torch.zeros(2))


def gradient(learner, episodes):
    network = quadratic()
    learner.add_gradients(network, network, episodes)
    return float(network.weight.grad)


EPISODES = [episode(s, q) for s, q in zip(SUPPORT, QUERY, strict=True)]
ENDS = [s + SHRINK * (THETA - s) for s in SUPPORT]
TOGETHER = pytest.mark.parametrize("alike", [True, False], ids=["together", "one by one"])


def given(alike):
    """Episodes of one shape are calculated together; those of two shapes one by one."""
    if alike:
        return EPISODES
    first = EPISODES[0]
    twice = first._replace(inputs=(torch.ones(3, 1),), targets=torch.tensor([SUPPORT[0], QUERY[0], QUERY[0]]))
    return [twice, EPISODES[1]]


@TOGETHER
def test_first_order_maml_is_the_gradient_of_the_query_where_the_steps_end(alike):
    expected = sum(2 * (end - q) for end, q in zip(ENDS, QUERY, strict=True)) / 2
    assert gradient(FOMAML(inner_lr=LR, steps=STEPS), given(alike)) == pytest.approx(expected, abs=1e-4)


@TOGETHER
def test_maml_also_goes_through_the_steps(alike):
    expected = sum(SHRINK * 2 * (end - q) for end, q in zip(ENDS, QUERY, strict=True)) / 2
    assert gradient(MAML(inner_lr=LR, steps=STEPS), given(alike)) == pytest.approx(expected, abs=1e-4)


def test_reptile_is_the_way_that_the_steps_went():
    middle = [(s + q) / 2 for s, q in zip(SUPPORT, QUERY, strict=True)]
    expected = sum((THETA - m) * (1 - SHRINK) / LR for m in middle) / 2
    assert gradient(Reptile(inner_lr=LR, steps=STEPS), EPISODES) == pytest.approx(expected, abs=1e-4)
    assert gradient(Reptile(inner_lr=LR, steps=1), EPISODES) == pytest.approx(
        sum(2 * (THETA - m) for m in middle) / 2, abs=1e-4
    )


def test_reptile_of_episodes_of_two_shapes_is_the_mean_of_both():
    wide = episode(1.0, 1.0)._replace(inputs=(torch.ones(3, 1),), targets=torch.tensor([1.0, 1.0, 1.0]))
    each = [gradient(Reptile(inner_lr=LR), [one]) for one in (wide, EPISODES[1])]
    assert gradient(Reptile(inner_lr=LR), [wide, EPISODES[1]]) == pytest.approx(sum(each) / 2, abs=1e-4)


def test_the_network_stays_as_it_is():
    network = quadratic()
    MAML(inner_lr=LR).add_gradients(network, network, EPISODES)
    assert network.weight.item() == THETA


@pytest.mark.parametrize("kind", [REGRESSION, CLASSIFICATION])
def test_the_second_order_gradient_equals_a_numeric_one(kind):
    generator = torch.Generator().manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 2 if kind.has_classes else 1)).double()
    targets = torch.tensor([0, 1, 0, 1, 1, 0]) if kind.has_classes else torch.randn(6, generator=generator)
    batches = [
        Batch((torch.randn(6, 3, generator=generator).double(),), targets.roll(number), 3, 2, kind, targets)
        for number in range(2)
    ]
    learner = MAML(inner_lr=0.3, steps=2)

    def loss():
        return sum(float(learner.loss(network, network, batch).detach()) for batch in batches) / 2

    learner.add_gradients(network, network, batches)
    for weight in network.parameters():
        for place in range(0, weight.numel(), 7):
            flat, step = weight.data.view(-1), 1e-5
            before = float(flat[place])
            sides = []
            for sign in (1, -1):
                flat[place] = before + sign * step
                sides.append(loss())
            flat[place] = before
            numeric = (sides[0] - sides[1]) / (2 * step)
            assert float(weight.grad.view(-1)[place]) == pytest.approx(numeric, abs=1e-6)
