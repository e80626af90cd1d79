"""Steps and trainings on a pretended GPU, which is as late as a real one: see support/elsewhere.py."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from elsewhere import QUEUE, pretended
from small import Interrupted, Killed, data_of, network_of, noise

from headstart.errors import TrainingError
from headstart.finetuning.full import Full
from headstart.finetuning.stage import Stage
from headstart.losses.penalty import Context
from headstart.losses.supervised import Supervised
from headstart.tasks import CLASSIFICATION
from headstart.training.checkpoint import Journal
from headstart.training.late import LateFigure
from headstart.training.loop import train
from headstart.training.optimizers import learning, skips
from headstart.training.options import Training
from headstart.training.prefetch import ahead
from headstart.training.step import Batch, Step

PLAIN = Training(
    epochs=2, batch=5, lr=1e-2, augment=False, precision="float32", validation=0.2, disk=0.0, patience=9, clip=0.5
)
CPU, GPU = torch.device("cpu"), torch.device("cuda")
NEAR = {"rtol": 3e-2, "atol": 3e-3} if torch.cuda.is_available() else {"rtol": 1e-3, "atol": 1e-5}
"""A real one rounds factors of convolutions to ten bits (TF32)."""

LOST = torch.AcceleratorError("CUDA error: unspecified launch failure")


class There(Interrupted):
    """Rows on a device, as long as so many batches."""

    def __init__(self, *inputs, device=CPU, left=10**9):
        super().__init__(*inputs, left=left)
        self.device = device

    def batch(self, rows, draw):
        return tuple(tensor.to(self.device) for tensor in super().batch(rows, draw))


def batch_of(device, bad=None):
    inputs = noise(6, seed=3)
    if bad is not None:
        inputs[2] = bad
    return Batch((inputs.to(device),), (torch.arange(6) % 3).to(device), torch.ones(6).to(device))


def step_on(device, backbone, optimizer="adamw", bad=None, hook=None):
    """A step; its cost, what it moved, and how often it waited for the device before the cost was asked for."""
    network = network_of(backbone, spread=0.1).to(device)
    training = replace(PLAIN, optimizer=optimizer)
    optimise = learning(network, Stage(train=network.stages), training)
    if hook is not None:
        network.backbone.register_forward_pre_hook(hook)
    before = [weights.detach().clone() for weights in network.parameters()]
    step = Step(network, CLASSIFICATION, Supervised(), Supervised().start(Context(network)), training)
    waits = QUEUE.waits
    cost = step(optimise, network.backbone, batch_of(device, bad), np.random.default_rng(0))
    waits = QUEUE.waits - waits
    moves = [(now.detach() - was).cpu() for now, was in zip(network.parameters(), before, strict=True)]
    return float(cost), moves, waits, skips(optimise)


@pytest.mark.device
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "rmsprop"])
def test_a_step_is_that_of_the_cpu_and_waits_for_nothing(backbone, optimizer):
    cost, moves, _, on_cpu = step_on(CPU, backbone, optimizer)
    with pretended():
        there, moved, waits, skipping = step_on(GPU, backbone, optimizer)
    assert (on_cpu, skipping) == (False, optimizer != "rmsprop")
    assert waits == 0
    assert there == pytest.approx(cost, rel=NEAR["rtol"])
    for move, other in zip(moves, moved, strict=True):
        torch.testing.assert_close(other, move, **NEAR)
    assert any(move.any() for move in moved)


@pytest.mark.device
@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "rmsprop"])
def test_what_is_not_finite_moves_nothing(backbone, optimizer):
    with pretended():
        cost, moved, _, _ = step_on(GPU, backbone, optimizer, bad=torch.nan)
    assert np.isnan(cost)
    assert not any(move.any() for move in moved)


def test_a_figure_comes_when_it_is_asked_for():
    with pretended():
        figure = LateFigure(torch.tensor(2.5).to(GPU))
        assert torch.isnan(figure._here)
        assert float(figure) == 2.5


def test_a_batch_that_is_tried_again_draws_the_same_numbers_on_the_device(backbone):
    states, sizes = [], []

    def refuse(module, args):
        states.append(torch.cuda.get_rng_state_all()[0].clone())
        torch.cuda.set_rng_state_all([states[-1] + 1])  # as dropout there would
        sizes.append(len(args[0]))
        if len(args[0]) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")

    with pretended():
        step_on(GPU, backbone, hook=refuse)
    assert sizes == [3, 3, 2, 2, 2]
    assert torch.equal(states[1], states[0])
    assert torch.equal(states[2], states[0])
    assert torch.equal(states[3], states[0] + 1)


def trained(backbone, device, folder=None, left=10**9, training=PLAIN):
    network = network_of(backbone, spread=0.1).to(device)
    inputs = There(noise(20, bright=2.0, seed=1), device=device, left=left)
    done = train(
        network, data_of(inputs, range(15), range(15, 20)), Full(), Supervised(), training, Journal(folder, every=0)
    )
    return {name: value.cpu() for name, value in network.state_dict().items()}, done


@pytest.mark.device
def test_a_training_is_that_of_the_cpu(backbone):
    _, here = trained(backbone, CPU)
    with pretended():
        _, there = trained(backbone, GPU)
    np.testing.assert_allclose([curve[2:] for curve in there.curves], [curve[2:] for curve in here.curves], **NEAR)
    assert there.lengths == here.lengths


@pytest.mark.device
@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize("left", [5, 7])
def test_a_killed_training_goes_on_to_the_same_bits(backbone, tmp_path, optimizer, left):
    training = replace(PLAIN, optimizer=optimizer, ema=0.5, epochs=3)
    with pretended():
        expected, whole = trained(backbone, GPU, training=training)
        with pytest.raises(Killed):
            trained(backbone, GPU, tmp_path / "run", left, training)
        assert (tmp_path / "run" / "now.safetensors").is_file() == (left == 7)
        state, done = trained(backbone, GPU, tmp_path / "run", training=training)
    assert done.curves == whole.curves
    assert all(torch.equal(value, expected[name]) for name, value in state.items())


@pytest.mark.device
def test_a_loss_that_is_not_finite_is_told_with_its_own_step(backbone):
    inputs = noise(20, seed=1)
    inputs[4] = torch.inf
    network = network_of(backbone, spread=0.1)
    words = []
    for device in (CPU, GPU):
        data = data_of(There(inputs, device=device), range(15), range(15, 20))
        with pretended():
            network.to(device)
            with pytest.raises(TrainingError, match="the loss is not finite in epoch 1, step") as caught:
                train(network, data, Full(), Supervised(), PLAIN, Journal(None))
        words.append(str(caught.value))
    assert words[0] == words[1]


def test_a_device_that_fails_leaves_the_journal_and_the_same_training_goes_on(backbone, tmp_path, monkeypatch):
    plain, calls = Step.__call__, []

    def failing(self, *args):
        calls.append(self)
        if len(calls) == 5:  # the second step of the second epoch
            raise LOST
        return plain(self, *args)

    with pretended():
        expected, whole = trained(backbone, GPU)
        monkeypatch.setattr(Step, "__call__", failing)
        words = (
            r"cuda:0 failed and does not answer any more \(CUDA error: unspecified launch failure\)\. Where the "
            "training stood is kept in the cache, from no longer than 1 s and an epoch ago, and the same command"
        )
        with pytest.raises(TrainingError, match=words):
            trained(backbone, GPU, tmp_path / "run")
        state, done = trained(backbone, GPU, tmp_path / "run")
        assert len(calls) == 5 + 3
        del calls[:]
        with pytest.raises(TrainingError, match="Without a cache nothing is kept of the training"):
            trained(backbone, GPU)
    assert done.curves == whole.curves
    assert all(torch.equal(value, expected[name]) for name, value in state.items())


@pytest.mark.device
def test_batches_are_made_ahead_in_their_order():
    def batches():
        for number in range(4):
            made.append(number)
            yield Batch((torch.full((2,), float(number)).to(GPU),), *(torch.ones(2).to(GPU) for _ in range(2)))

    made = []
    with pretended():
        seen = []
        for batch in ahead(batches(), GPU):
            seen.append(float(batch.inputs[0][0].cpu()))
            assert len(made) <= len(seen) + 1
    assert seen == [0.0, 1.0, 2.0, 3.0]


def test_on_the_cpu_batches_are_made_when_they_are_asked_for():
    made = []

    def batches():
        for number in range(3):
            made.append(number)
            yield Batch((torch.zeros(2),), torch.zeros(2), torch.zeros(2))

    for count, _ in enumerate(ahead(batches(), CPU)):
        assert len(made) == count + 1
