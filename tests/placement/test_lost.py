"""A GPU that fails in a training, or that others have filled, ends the fit with words; nothing goes on without it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from elsewhere import pretended

import headstart as hs
from headstart.errors import TrainingError
from headstart.network import Network
from headstart.training.step import Step

LABELS = ["dark", "light"] * 12
LOST = torch.AcceleratorError("CUDA error: unspecified launch failure")
FULL = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


def fit():
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256 // (1 + number % 2), (32, 32, 3), dtype=np.uint8) for number in range(24)]
    options = {"epochs": 1, "batch": 8}
    return hs.Transfer("small:conv4-16", "fine-tune", options=options, device="cuda", cache=False).fit(pictures, LABELS)


@pytest.mark.parametrize("at", [2, 4], ids=["first training", "second, on all rows"])
def test_a_device_that_fails_in_a_training(monkeypatch, at):
    plain, steps = Step.__call__, []

    def failing(self, *args):
        steps.append(self)
        if len(steps) == at:
            raise LOST
        return plain(self, *args)

    monkeypatch.setattr(Step, "__call__", failing)
    with pretended(), pytest.raises(TrainingError, match="cuda:0 failed and does not answer any more"):
        fit()
    assert len(steps) == at
    assert len(set(map(id, steps))) == (1 if at == 2 else 2)


def test_a_device_that_has_no_memory_for_the_network(monkeypatch):
    plain = Network.to

    def full(self, *args, **options):
        if args:
            raise FULL
        return plain(self, *args, **options)

    monkeypatch.setattr(Network, "to", full, raising=False)
    with pretended(), pytest.raises(TrainingError, match=r"cuda has too little memory left .*Nothing was trained yet"):
        fit()
