"""The moving average against the formula, in place, and through a journal."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from small import Interrupted, Killed, Rows, data_of, network_of, noise
from torch import nn

from headstart.finetuning.gradual import Gradual
from headstart.losses.supervised import Supervised
from headstart.training.checkpoint import Journal
from headstart.training.ema import Average
from headstart.training.loop import train
from headstart.training.options import Training


def net():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    network[0].requires_grad_(False).eval()
    return network


def wander(network, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in network.state_dict().values():
            if value.is_floating_point():
                value.copy_(torch.randn(value.shape, generator=generator))
            else:
                value.add_(1)


def test_the_mean_is_the_formula():
    network, decay = net(), 0.3
    average = Average(network, decay)
    expected = {name: value.double().clone() for name, value in network.state_dict().items()}
    for t in range(1, 8):
        wander(network, t)
        average.update()
        d = min(decay, (1 + t) / (10 + t))
        for name, value in network.state_dict().items():
            expected[name] = d * expected[name] + (1 - d) * value.double()
    moving = {"1.weight", "1.bias", "1.running_mean", "1.running_var", "2.weight", "2.bias"}
    assert average.mean.keys() == moving
    for name in moving:
        torch.testing.assert_close(average.mean[name].double(), expected[name], atol=1e-6, rtol=1e-5)
    assert (2 / 11 < decay < 8 / 17, average.steps) == (True, 7)


def test_in_place_is_the_mean_and_afterwards_the_same_bits_even_after_an_exception():
    network = net()
    average = Average(network, 0.9)
    wander(network, 1)
    average.update()
    before = {name: value.clone() for name, value in network.state_dict().items()}

    def looked():
        with average.in_place():
            now = network.state_dict()
            assert all(torch.equal(now[name], value) for name, value in average.mean.items())
            still = now.keys() - average.mean.keys()
            assert all(torch.equal(now[name], before[name]) for name in still)
            raise Killed

    with pytest.raises(Killed):
        looked()
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_no_decay_is_no_average():
    network = net()
    average = Average(network, 0.0)
    wander(network, 1)
    average.update()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with average.in_place():
        assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert (average.mean, average.steps) == ({}, 1)


def run(backbone, path, rows):
    network = network_of(backbone)
    data = data_of(rows, range(12), range(12, 16))
    training = Training(margin=0, epochs=3, batch=4, lr=1e-2, ema=0.6, patience=9, disk=0, augment=False)
    found = train(network, data, Gradual(stages=2), Supervised(), training, Journal(path, every=0))
    return network.state_dict(), found.curves


@pytest.mark.parametrize("after", [5, 9, 14, 22, 26])
def test_a_run_that_was_stopped_has_the_same_average(backbone, tmp_path, after):
    state, curves = run(backbone, None, Rows(noise(16)))
    with pytest.raises(Killed):
        run(backbone, tmp_path / "run", Interrupted(noise(16), left=after))
    again, found = run(backbone, tmp_path / "run", Rows(noise(16)))
    assert found == curves
    assert all(torch.equal(value, again[name]) for name, value in state.items())


def test_the_average_is_what_is_kept(backbone):
    data = data_of(Rows(noise(16)), range(12), range(12))
    kept = []
    for ema in (0.0, 0.99):
        network = network_of(backbone)
        training = Training(
            margin=0, epochs=2, batch=4, lr=1e-3, optimizer="sgd", schedule="constant", augment=False, disk=0
        )
        train(network, data, Gradual(stages=1), Supervised(), replace(training, ema=ema), Journal(None))
        kept.append(network.head.linear.weight)
    assert kept[0].any()
    assert not torch.equal(*kept)
