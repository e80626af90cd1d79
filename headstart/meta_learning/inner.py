"""Inner loops: steps of gradient descent on the support, as a function of the weights that they begin with.

    theta_0 = theta;   theta_{i+1} = theta_i - lr grad L_support(theta_i)

`torch.func` calculates with other weights than those that the network holds (functional_call), so that the outer
gradient may go through the steps; the network itself stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad

from headstart.meta_learning.learner import Batch, Origin, Standing
from headstart.network import Network
from headstart.tasks.task import Kind

__all__ = ["LinearStanding", "Weights", "answered", "descended", "moving", "stacked"]

Weights = dict[str, Tensor]


class LinearStanding(Standing):
    """A linear layer on the features, which begins at zero: no class of an episode is like that of another."""

    def __init__(self, origin: Origin) -> None:
        super().__init__(origin)
        self.linear = nn.Linear(len(origin.mean), origin.outputs)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, features: Tensor) -> Tensor:
        """(N, outputs)."""
        answers: Tensor = self.linear(super().forward(features))
        return answers


def moving(network: nn.Module) -> Weights:
    """The weights that learn, by name."""
    return {name: weight for name, weight in network.named_parameters() if weight.requires_grad}


def descended(cost: Callable[[Weights], Tensor], weights: Weights, *, lr: float, steps: int, through: bool) -> Weights:
    """The weights after so many steps down the cost.

    through   whether an outer gradient goes through the steps: else the steps count as constants, and d theta_i /
              d theta is the identity
    """
    slope = grad(cost)
    for _ in range(steps):
        if through:
            slopes = slope(weights)
        else:
            with torch.no_grad():
                slopes = slope(weights)
        weights = {name: weight - lr * slopes[name] for name, weight in weights.items()}
    return weights


def answered(network: Network, weights: Weights, inputs: tuple[Tensor, ...]) -> Tensor:
    """What the network answers with these weights in place of its own."""
    answers: Tensor = functional_call(network, weights, inputs)
    return answers


def mean_loss(answers: Tensor, targets: Tensor, kind: Kind) -> Tensor:
    """Of the rows."""
    return kind.row_losses(answers, targets, label_smoothing=0.0).mean()


def stacked(batches: Sequence[Batch]) -> tuple[Tensor, Tensor] | None:
    """Inputs (B, S + Q, D) and targets (B, S + Q) of episodes that are rows of numbers and of one shape, which are best
    calculated together (`torch.vmap`); None for others."""
    first = batches[0]
    shapes = {(batch.support, batch.way, *(tuple(x.shape) for x in batch.inputs)) for batch in batches}
    if len(batches) < 2 or len(shapes) > 1 or len(first.inputs) > 1 or first.inputs[0].ndim != 2:
        return None
    return torch.stack([batch.inputs[0] for batch in batches]), torch.stack([batch.targets for batch in batches])
