"""Reptile (Nichol, Achiam and Schulman, 2018): towards where steps on each task lead, without a query.

    theta'_i = theta after k steps of gradient descent on task i
    theta <- theta + epsilon mean_i (theta'_i - theta)

(theta - theta'_i) / lr is given to the optimizer as the gradient (section 3 there): of one step it is that of the loss
itself, of several it also holds what brings the gradients of steps into line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from headstart.meta_learning.inner import Weights, answered, descended, mean_loss, moving, stacked
from headstart.meta_learning.learner import Batch
from headstart.meta_learning.maml import MAML
from headstart.network import Network
from headstart.training.step import Features

__all__ = ["Reptile"]


@dataclass(frozen=True, kw_only=True)
class Reptile(MAML):
    """As MAML; the steps of meta-training see all rows of an episode."""

    about: ClassVar[str] = "weights move towards where steps on each episode lead; no second derivatives"
    second_order: ClassVar[bool] = False
    steps: int = 5

    def add_gradients(self, network: Network, features: Features, batches: Sequence[Batch]) -> float:
        begin = moving(network)
        together = stacked(batches)
        if together is not None:
            slopes, losses = torch.vmap(lambda x, y: self._slopes(network, begin, batches[0], (x,), y))(*together)
        else:
            each = [self._slopes(network, begin, batch, batch.inputs, batch.targets) for batch in batches]
            slopes = {name: torch.stack([slope[name] for slope, _ in each]) for name in begin}
            losses = torch.stack([loss for _, loss in each])
        for name, weight in begin.items():
            slope = slopes[name].mean(0)
            weight.grad = slope if weight.grad is None else weight.grad + slope
        return float(losses.mean())

    def _slopes(
        self, network: Network, begin: Weights, batch: Batch, inputs: tuple[Tensor, ...], targets: Tensor
    ) -> tuple[Weights, Tensor]:
        """(theta - theta') / lr of one task, and its loss at theta."""

        def cost(weights: Weights) -> Tensor:
            return mean_loss(answered(network, weights, inputs), targets, batch.kind)

        with torch.no_grad():
            end = descended(cost, begin, lr=self.inner_lr, steps=self.steps, through=False)
            return {name: (begin[name] - end[name]) / self.inner_lr for name in begin}, cost(begin)
