"""MAML on sinusoids (Finn, Abbeel and Levine, 2017, section 5.1): y = a sin(x + p), a .1 to 5, p 0 to pi, 10 points."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from headstart.backbones.assemble import assemble
from headstart.backbones.small import of_rows
from headstart.meta_learning.joint import Joint
from headstart.meta_learning.learner import Batch, Origin
from headstart.meta_learning.maml import MAML
from headstart.meta_learning.options import MetaTraining
from headstart.meta_learning.outer import meta_train, opened
from headstart.network import Network
from headstart.preprocessing.numbers import NumberPreprocess
from headstart.tasks import REGRESSION
from headstart.training.checkpoint import Journal

POINTS = 10
OPTIONS = MetaTraining(epochs=1, steps=4000, tasks=25, lr=1e-3, schedule="constant", clip=10.0)


class Sinusoids:
    """Tasks without end, for a network that takes x as it is."""

    def __init__(self, network, seed):
        self.features, self.seed = network.backbone, seed

    def batches(self, epoch, number):
        rng = np.random.default_rng((self.seed, number))
        return [self.task(rng, 2 * POINTS) for _ in range(OPTIONS.tasks)]

    def task(self, rng, rows):
        x = rng.uniform(-5, 5, (rows, 1))
        y = rng.uniform(0.1, 5) * np.sin(x[:, 0] + rng.uniform(0, math.pi))
        targets = torch.from_numpy(y.astype(np.float32))
        return Batch((torch.from_numpy(x.astype(np.float32)),), targets, POINTS, 1, REGRESSION, targets)

    def validated(self, network, learner):
        return []


def network_of(learner, seed):
    backbone = assemble(of_rows(NumberPreprocess(mean=(0.0,), scale=(1.0,)))).random(seed)
    return Network(backbone, learner.head(Origin(torch.zeros(backbone.dim), 1.0, 1, 1)))


def error(learner, seed):
    """The mean squared error after five steps on ten points, over 200 tasks, of a network that was meta-trained."""
    network = network_of(learner, seed)
    source = Sinusoids(network, seed)
    meta_train(network, source, learner, OPTIONS, Journal(None))
    network.open(opened(network, learner, OPTIONS).train)
    rng = np.random.default_rng((99, seed))
    errors = []
    for _ in range(200):
        batch = source.task(rng, POINTS + 100)
        with torch.no_grad():
            errors.append(float((learner.answers(network, source.features, batch)[:, 0] - batch.asked).square().mean()))
    return float(np.mean(errors))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_maml_adapts_to_a_sinusoid_and_a_network_taught_all_of_them_does_not(seed):
    maml = error(MAML(inner_lr=0.01, steps=1, test_steps=5), seed)
    assert maml < 0.6 * error(Joint(inner_lr=0.01, test_steps=5), seed)
