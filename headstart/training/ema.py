"""A moving average of the weights (Polyak and Juditsky, 1992): mean <- decay mean + (1 - decay) theta, after each step.

Early on the decay is less, min(decay, (1 + t) / (10 + t)) after t steps, so that the beginning is soon forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

__all__ = ["Average"]


class Average:
    """Of everything that moves, running statistics included; `decay` 0 is no average, and costs nothing."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._network, self._decay, self.steps = network, decay, 0
        self.mean: dict[str, Tensor] = {}
        if decay:
            self.mean = {name: value.detach().clone() for name, value in _moving(network)}

    def update(self) -> None:
        """One step is done."""
        self.steps += 1
        if self._decay:
            decay = min(self._decay, (1 + self.steps) / (10 + self.steps))
            with torch.no_grad():
                for name, value in _moving(self._network):
                    self.mean[name].lerp_(value, 1 - decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The network with the averaged weights."""
        if not self.mean:
            yield
            return
        now = {name: value.detach().clone() for name, value in _moving(self._network)}
        self._put(self.mean)
        try:
            yield
        finally:
            self._put(now)

    def restore(self, mean: dict[str, Tensor], steps: int) -> None:
        """As a checkpoint has it, but for statistics that `Step.spare_lone_rows` has given up since."""
        self.steps = steps
        for name in self.mean:
            self.mean[name].copy_(mean[name])

    def _put(self, values: dict[str, Tensor]) -> None:
        with torch.no_grad():
            for name, value in _moving(self._network):
                value.copy_(values[name])


def _moving(network: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Weights that learn, and the running statistics of modules that are in train mode."""
    yield from ((name, value) for name, value in network.named_parameters() if value.requires_grad)
    for path, module in network.named_modules():
        if module.training:
            for name, value in module.named_buffers(prefix=path, recurse=False):
                if value.is_floating_point():
                    yield name, value
