"""A step where memory does not hold the batch, and batches of one row: the same gradients, in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from small import Interrupted, Killed, data_of, noise
from steps import PLAIN, learnt, open_network, same, stepped
from torch import nn

from headstart.finetuning.full import Full
from headstart.losses.supervised import Supervised
from headstart.training.checkpoint import Journal
from headstart.training.loop import train


class Narrow:
    """Features of a network that refuses more than so many rows, after it has drawn random numbers for them."""

    def __init__(self, network, most, error):
        self.network, self.most, self.error, self.seen = network, most, error, []

    def __call__(self, x):
        self.seen.append(len(x))
        noise = torch.rand(1)
        if len(x) > self.most:
            raise self.error
        return self.network.backbone(x) * (1 + noise)


OUT = [
    torch.OutOfMemoryError("CUDA out of memory"),
    MemoryError(),
    RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
]


@pytest.mark.parametrize("error", OUT, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("mixup", [0.0, 0.7])
def test_where_memory_ends_fewer_rows_go_at_once_to_the_same_gradient(backbone, error, mixup):
    network, training = open_network(backbone), replace(PLAIN, mixup=mixup)
    narrow = Narrow(network, 3, error)
    torch.manual_seed(5)
    value, found, step = stepped(network, training, features=narrow)
    assert (step.micro, narrow.seen) == (2, [8, 4, 2, 2, 2, 2])
    assert "memory did not hold the batch: 2 rows at a time go through the network" in step.notes[-1]
    assert "the gradients of 8 are added up as before" in step.notes[-1]
    torch.manual_seed(5)
    wide = Narrow(network, 9, error)
    same((value, found), stepped(network, replace(training, micro=2), features=wide), 1e-6)


def test_more_at_once_than_the_batch_has_is_the_batch(backbone):
    network = open_network(backbone)
    narrow = Narrow(network, 4, OUT[0])
    _, _, step = stepped(network, replace(PLAIN, micro=1000, batch=500), features=narrow)
    assert (step.micro, narrow.seen, len(step.notes)) == (4, [8, 4, 4], 1)


def test_memory_that_does_not_hold_one_row_is_an_error(backbone):
    network = open_network(backbone)
    narrow = Narrow(network, 0, OUT[0])
    with pytest.raises(torch.OutOfMemoryError):
        stepped(network, PLAIN, features=narrow)
    assert narrow.seen == [8, 4, 2, 1]


def test_other_errors_pass_through(backbone):
    network = open_network(backbone)
    narrow = Narrow(network, 0, RuntimeError("shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        stepped(network, PLAIN, features=narrow)
    assert narrow.seen == [8]


@pytest.mark.parametrize("options", [{"micro": 2}, {"batch": 1}, {"micro": 1}, {"batch": 9}], ids=repr)
def test_no_row_goes_alone_through_norms_of_batches(backbone, options):
    """At 32 pixels the last maps are of one pixel: a row alone has no variance. Parts of 5 rows by 2 are 2, 2, 1."""
    training = replace(
        PLAIN, **{"epochs": 2, "batch": 5, "augment": False, "ema": 0.5, "statistics": "batch"} | options
    )
    _, found = learnt(backbone, training)
    alone = options != {"batch": 9}
    assert any("batches of one row: the statistics of BatchNorm stay" in note for note in found.notes) == alone
    assert np.isfinite(found.curves).all()


def test_memory_that_holds_one_row_leaves_norms_of_batches_alone(backbone):
    network = open_network(backbone)
    network.open(network.stages)
    assert any(module.training for module in network.modules() if isinstance(module, nn.BatchNorm2d))
    _, _, step = stepped(network, PLAIN, features=Narrow(network, 1, OUT[0]))
    assert step.micro == 1
    assert not any(module.training for module in network.modules() if isinstance(module, nn.BatchNorm2d))
    assert any("the statistics of BatchNorm stay" in note for note in step.notes)


def cramped(backbone, folder, left=10**9):
    """Memory that holds one row; a moving average of the statistics that are given up for it."""
    network = open_network(backbone)

    def refuse(module, args):
        if module.training and len(args[0]) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")

    network.backbone.get_submodule("layer1").register_forward_pre_hook(refuse)
    data = data_of(Interrupted(noise(14, seed=1), left=left), range(10), range(10, 14))
    training = replace(PLAIN, epochs=3, batch=5, augment=False, ema=0.5, patience=9, disk=0.0, statistics="batch")
    found = train(network, data, Full(), Supervised(), training, Journal(folder, every=0))
    return network.state_dict(), found


def test_a_run_that_had_too_little_memory_goes_on_to_the_same_bits(backbone, tmp_path):
    expected, whole = cramped(backbone, None)
    with pytest.raises(Killed):
        cramped(backbone, tmp_path / "run", 6)
    state, found = cramped(backbone, tmp_path / "run")
    assert found.curves == whole.curves
    assert all(torch.equal(value, expected[name]) for name, value in state.items())
    assert any("the statistics of BatchNorm stay" in note for note in found.notes)
