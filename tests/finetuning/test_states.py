"""Points between and among states, counters included."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from headstart.finetuning.states import average, between, copied


def states(count):
    made = []
    for number in range(count):
        torch.manual_seed(number)
        network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
        for _ in range(number + 1):
            network(torch.randn(5, 3) * (number + 1))
        made.append(copied(network))
    return made


def test_a_copy_is_of_its_own():
    network = nn.Linear(2, 2)
    found = copied(network)
    before = network.weight.detach().clone()
    with torch.no_grad():
        network.weight.add_(1)
    assert torch.equal(found["weight"], before)
    assert not any(value.requires_grad for value in found.values())


@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.5, 0.7, 1.0])
def test_between_is_the_formula_and_the_ends_are_the_ends(alpha):
    one, other = states(2)
    found = between(one, other, alpha)
    assert list(found) == list(one)
    for name, value in found.items():
        assert value.dtype == one[name].dtype
        if value.is_floating_point():
            expected = (1 - alpha) * one[name].double() + alpha * other[name].double()
            torch.testing.assert_close(value.double(), expected, atol=1e-6, rtol=1e-6)
    assert found["1.num_batches_tracked"] == (2 if alpha > 0.5 else 1)
    if alpha in (0.0, 1.0):
        assert all(torch.equal(value, (other if alpha else one)[name]) for name, value in found.items())


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_the_average_is_the_mean_to_the_last_bit(count):
    some = states(count)
    found = average(some)
    for name, value in found.items():
        assert value.dtype == some[0][name].dtype
        if value.is_floating_point():
            expected = torch.stack([state[name].double() for state in some]).mean(0).float()
            torch.testing.assert_close(value, expected, atol=0, rtol=2**-23)
    assert found["1.num_batches_tracked"] == 1
    same = average([some[0]] * count)
    assert all(torch.equal(value, some[0][name]) for name, value in same.items())
