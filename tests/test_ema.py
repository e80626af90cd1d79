"""The moving average against the formula, in place, and through a journal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from headstart.backbones.load import load
from headstart.checkpoint import Journal
from headstart.ema import Average
from headstart.losses.supervised import Supervised
from headstart.network import Network, TunedHead
from headstart.source import Data
from headstart.train import train
from headstart.training import Training
from headstart.tune.gradual import Gradual


class Killed(Exception):
    """In place of a signal, at a place that a test chooses."""


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


class Rows:
    """Noise; ends the run at a batch that the test chooses."""

    def __init__(self, left=10**9):
        self.x, self.left = torch.randn(16, 3, 32, 32, generator=torch.Generator().manual_seed(0)), left

    def __len__(self):
        return len(self.x)

    def batch(self, rows, draw):
        self.left -= 1
        if self.left < 0:
            raise Killed
        return (self.x[rows],)


@pytest.fixture(scope="module")
def backbone():
    return load("timm:test_resnet?weights=random")


def run(backbone, path, rows):
    torch.manual_seed(0)
    network = Network(backbone, TunedHead(np.zeros(backbone.dim), np.ones(backbone.dim), 3))
    order = np.arange(16)
    data = Data(rows, torch.arange(16) % 3, torch.ones(16), "classification", order[:12], order[12:])
    training = Training(margin=0, epochs=3, batch=4, lr=1e-2, ema=0.6, patience=9, disk=0, augment=False)
    found = train(network, data, Gradual(stages=2), Supervised(), training, Journal(path, every=0))
    return network.state_dict(), found.curves


@pytest.mark.parametrize("after", [5, 9, 14, 22, 26])
def test_a_run_that_was_stopped_has_the_same_average(backbone, tmp_path, after):
    state, curves = run(backbone, None, Rows())
    with pytest.raises(Killed):
        run(backbone, tmp_path / "run", Rows(after))
    again, found = run(backbone, tmp_path / "run", Rows())
    assert found == curves
    assert all(torch.equal(value, again[name]) for name, value in state.items())


def test_the_average_is_what_is_kept(backbone):
    x, order = Rows(), np.arange(16)
    data = Data(x, torch.arange(16) % 3, torch.ones(16), "classification", order[:12], order[:12])
    kept = []
    for ema in (0.0, 0.99):
        torch.manual_seed(0)
        network = Network(backbone, TunedHead(np.zeros(backbone.dim), np.ones(backbone.dim), 3))
        training = Training(
            margin=0, epochs=2, batch=4, lr=1e-3, optimizer="sgd", schedule="constant", augment=False, disk=0
        )
        train(network, data, Gradual(stages=1), Supervised(), replace(training, ema=ema), Journal(None))
        kept.append(network.head.linear.weight)
    assert kept[0].any()
    assert not torch.equal(*kept)
