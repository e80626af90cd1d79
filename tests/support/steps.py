"""One step of the optimiser on a small network, and what it left."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from small import Rows, data_of, network_of, noise

from headstart.finetuning.full import Full
from headstart.losses.penalty import Context
from headstart.losses.supervised import Supervised
from headstart.tasks import CLASSIFICATION
from headstart.training.checkpoint import Journal
from headstart.training.loop import train
from headstart.training.options import Training
from headstart.training.step import Batch, Step

PLAIN = Training(margin=0, batch=8, clip=0.0, precision="float32")


def open_network(backbone, classes=3):
    """Everything learns; running statistics of batches stay, so that parts of a batch add up."""
    network = network_of(backbone, classes, 0.1)
    network.open(network.stages)
    return network.eval()


def precise_network(backbone, classes=3):
    """The same with its backbone in float64, for what is calculated in two ways: where a unit stands so near the kink
    of its ReLU that the last bit says which side it is on, gradients differ by more than their rounding."""
    network = open_network(backbone, classes)
    network.backbone.double()
    return network


def batch_of(count=8):
    return Batch((noise(count),), torch.arange(count) % 3, torch.linspace(0.2, 3, count))


def sgd(network, lr=0.0):
    return torch.optim.SGD([weights for weights in network.parameters() if weights.requires_grad], lr=lr)


def stepped(network, training, batch=None, features=None, kind=CLASSIFICATION, loss=Supervised(), seed=0):  # noqa: B008
    """The loss, the gradients, and the step; nothing moves at learning rate 0."""
    step = Step(network, kind, loss, loss.start(Context(network)), training)
    batch, dtype = batch or batch_of(), next(network.backbone.parameters()).dtype
    inputs = tuple(tensor.to(dtype) if tensor.is_floating_point() else tensor for tensor in batch.inputs)
    value = step(sgd(network), features or network.backbone, replace(batch, inputs=inputs), np.random.default_rng(seed))
    return value, {n: w.grad.clone() for n, w in network.named_parameters() if w.grad is not None}, step


def same(one, other, tolerance=1e-4):
    assert one[0] == pytest.approx(other[0], rel=tolerance)
    assert one[1].keys() == other[1].keys()
    for name, value in one[1].items():
        scale = float(other[1][name].abs().max())
        torch.testing.assert_close(value, other[1][name], atol=tolerance * scale + 1e-9, rtol=tolerance, msg=name)


def learnt(backbone, training):
    """A network trained on ten rows and validated on four, and how it went."""
    network = open_network(backbone)
    data = data_of(Rows(noise(14, seed=1)), range(10), range(10, 14))
    return network, train(network, data, Full(), Supervised(), training, Journal(None))
