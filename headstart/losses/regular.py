"""What is minimised beside the loss of the labels: a cost of each batch, and one of the weights."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from headstart.network import Network

__all__ = ["Norms", "Regular"]


class Regular(Protocol):
    """Made by a loss at the beginning of a training, when the network has its first weights."""

    def batch(self, inputs: tuple[Tensor, ...], features: Tensor) -> Tensor | None:
        """The cost of these rows as the network has just seen them: its inputs, and features (N, D). None: nothing."""

    def weights(self) -> Tensor | None:
        """The cost of the weights, once a step; None for nothing."""

    def close(self) -> None:
        """The training is over."""


class Norms:
    """l1 sum |theta| + l2 / 2 sum theta^2 over the matrices that learn: biases and norms are left alone."""

    def __init__(self, network: Network, *, l1: float, l2: float) -> None:
        self._network, self._l1, self._l2 = network, l1, l2

    def batch(self, inputs: tuple[Tensor, ...], features: Tensor) -> Tensor | None:
        """Nothing."""
        return None

    def weights(self) -> Tensor | None:
        """See above."""
        if not (self._l1 or self._l2):
            return None
        moving = [weights for weights in self._network.parameters() if weights.requires_grad and weights.ndim > 1]
        parts = [self._l1 * weights.abs().sum() + self._l2 / 2 * weights.square().sum() for weights in moving]
        return torch.stack(parts).sum() if parts else None

    def close(self) -> None:
        """Nothing is held."""
