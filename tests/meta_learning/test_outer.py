"""The outer loop: it learns, keeps the best, ends in words where it runs away, and goes on after a kill."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn

from headstart.backbones.backbone import Backbone
from headstart.errors import TrainingError
from headstart.meta_learning.learner import Batch, Learner, Origin
from headstart.meta_learning.maml import MAML
from headstart.meta_learning.options import MetaTraining
from headstart.meta_learning.outer import meta_train
from headstart.network import Network
from headstart.tasks import REGRESSION
from headstart.training.checkpoint import Journal


class Killed(Exception):
    """In place of a signal."""


class Lines:
    """Small tasks y = a x + b; ends the run after so many steps."""

    def __init__(self, network, left=10**6, validation=True):
        self.features, self.left, self.validation = network.backbone, left, validation

    def batches(self, epoch, number):
        self.left -= 1
        if self.left < 0:
            raise Killed
        return [self.task(np.random.default_rng((epoch, number, task))) for task in range(4)]

    def task(self, rng):
        x = rng.normal(size=(8, 1)).astype(np.float32)
        y = torch.from_numpy(((3 + rng.normal() * 0.1) * x[:, 0] + 1).astype(np.float32))
        return Batch((torch.from_numpy(x),), y, 4, 1, REGRESSION, y)

    def validated(self, network, learner):
        if not self.validation:
            return []
        batches = [self.task(np.random.default_rng(100 + number)) for number in range(5)]
        with torch.no_grad():
            answers = [learner.answers(network, self.features, batch)[:, 0] for batch in batches]
        return [float((a - batch.asked).square().mean()) for a, batch in zip(answers, batches, strict=True)]


LEARNER = MAML(inner_lr=0.05, steps=2, test_steps=2)
OPTIONS = MetaTraining(epochs=5, steps=8, lr=0.05, journal=0.0, patience=6)


@pytest.fixture
def network():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(1, 8), nn.Tanh())
    backbone = Backbone(
        name="lines", modality="array", module=module, dim=8, preprocess=None, fingerprint="", spec={},
        stages=(("0", ("0.",)),),
    )  # fmt: skip
    return Network(backbone, LEARNER.head(Origin(torch.zeros(8), 1.0, 1, 1)))


def test_it_learns_and_keeps_the_best(network):
    told = meta_train(network, Lines(network), LEARNER, OPTIONS, Journal(None))
    (start, *epochs) = told.curves
    assert start[0] == -1
    assert math.isnan(start[1])
    assert [row[0] for row in epochs] == list(range(5))
    assert min(row[2] for row in epochs) < start[2] / 2
    assert told.best == min(epochs, key=lambda row: row[2])[0]
    assert told.parameters == 16 + 9
    source = Lines(network)
    assert float(np.mean(source.validated(_open(network), LEARNER))) == pytest.approx(
        min(row[2] for row in epochs), rel=1e-5
    )


def _open(network):
    network.open(network.stages)
    return network.eval()


def test_without_validation_the_last_weights_are_kept(network):
    told = meta_train(network, Lines(network, validation=False), LEARNER, OPTIONS, Journal(None))
    assert told.best == 4
    assert all(math.isnan(row[2]) for row in told.curves)


@pytest.mark.parametrize("left", [5, 27])
def test_a_killed_run_goes_on_to_the_same_bits(network, tmp_path, left):
    begin = {name: value.clone() for name, value in network.state_dict().items()}
    whole = meta_train(network, Lines(network), LEARNER, OPTIONS, Journal(None))
    expected = {name: value.clone() for name, value in network.state_dict().items()}
    network.load_state_dict(begin)
    with pytest.raises(Killed):
        meta_train(network, Lines(network, left), LEARNER, OPTIONS, Journal(tmp_path, every=0.0))
    network.load_state_dict(begin)
    again = meta_train(network, Lines(network, 10**6), LEARNER, OPTIONS, Journal(tmp_path, every=0.0))
    assert all(torch.equal(value, expected[name]) for name, value in network.state_dict().items())
    assert np.array_equal(np.array(again.curves), np.array(whole.curves), equal_nan=True)


@dataclass(frozen=True, kw_only=True)
class Runaway(Learner):
    about: ClassVar[str] = "its loss is not finite"

    def answers(self, network, features, batch):
        return network(*batch.inputs)

    def add_gradients(self, network, features, batches):
        return math.inf


def test_a_loss_that_runs_away_ends_in_words(network):
    with pytest.raises(TrainingError, match=r"the outer loss was not finite in epoch 1 at a learning rate of 0\.05"):
        meta_train(network, Lines(network, validation=False), Runaway(), OPTIONS, Journal(None))


def test_better_weights_from_before_a_runaway_are_kept(network, monkeypatch):
    gradients = MAML.add_gradients

    def later(self, network, features, batches):
        loss = gradients(self, network, features, batches)
        return loss if len(calls) < 20 and not calls.append(loss) else math.nan

    calls: list[float] = []
    monkeypatch.setattr(MAML, "add_gradients", later)
    told = meta_train(network, Lines(network), LEARNER, OPTIONS, Journal(None))
    assert told.best == 1
    words = "the outer loss was not finite in epoch 3 at a learning rate of 0.05"
    assert told.notes == (f"{words}: the weights of epoch 2 are kept",)


@pytest.mark.parametrize(("option", "value"), [("epochs", 0), ("tasks", 0), ("lr", -1.0), ("stages", -1)])
def test_options_that_cannot_be_are_refused(option, value):
    with pytest.raises(ValueError, match=rf"{option} = {value}: expected"):
        MetaTraining(**{option: value})


def test_an_unknown_optimizer_is_refused():
    with pytest.raises(ValueError, match="optimizer 'adm' is unknown; nearest: adam"):
        MetaTraining(optimizer="adm")
