"""The norms of weights against a loop over them."""

from __future__ import annotations

import pytest
import torch

from headstart.losses.delta import Delta
from headstart.losses.l2_sp import L2SP
from headstart.losses.penalty import Context, Pass
from headstart.losses.supervised import Supervised
from headstart.tasks import CLASSIFICATION


def norms(network):
    """Sums of |w| and of w^2 over the matrices that learn, as Python adds them."""
    first = second = 0.0
    for weights in network.parameters():
        if weights.requires_grad and weights.ndim > 1:
            first += weights.detach().double().abs().sum().item()
            second += weights.detach().double().pow(2).sum().item()
    return first, second


@pytest.mark.parametrize("kind", [Supervised, L2SP, Delta])
def test_the_norms_are_the_formula_and_only_of_matrices_that_learn(network, kind):
    """With every loss; what else a loss minimises is nothing where nothing has moved."""
    more = {"weight": 0.0, "head": 0.0} if kind is L2SP else {}
    regular = kind(l1=0.3, l2=0.4, **more).start(Context(network))
    found = []
    for top in (0, 1, len(network.stages) - 1):
        network.open(network.top(top))
        first, second = norms(network)
        found.append(regular.weights().item())
        assert found[-1] == pytest.approx(0.3 * first + 0.4 / 2 * second, rel=1e-5)
    assert found == sorted(set(found))
    regular.close()


def test_the_gradient_is_that_of_the_formula(network):
    network.open(network.top(0))
    (found,) = torch.autograd.grad(
        Supervised(l1=0.3, l2=0.4).start(Context(network)).weights(), network.head.linear.weight
    )
    weights = network.head.linear.weight.detach()
    torch.testing.assert_close(found, 0.3 * weights.sign() + 0.4 * weights)


def test_nothing_is_nothing(network):
    network.open(network.stages)
    regular = Supervised().start(Context(network))
    assert regular.weights() is None
    assert regular.batch(Pass((), torch.zeros(1), torch.zeros(1), CLASSIFICATION)) is None
    network.requires_grad_(False)
    assert Supervised(l2=1.0).start(Context(network)).weights() is None
