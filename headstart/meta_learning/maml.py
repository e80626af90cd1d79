"""MAML (Finn, Abbeel and Levine, 2017): weights from which a few steps on a few rows lead to good answers.

    theta'_i = theta - lr grad L_support_i(theta)          (several steps: again from theta'_i)
    minimise  sum_i L_query_i(theta'_i)  over theta

The gradient goes through the steps, which takes second derivatives. To first order (FOMAML) the steps count as
constants: grad L_query_i at theta'_i is taken for the gradient at theta.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from headstart.checks import at_least, positive
from headstart.meta_learning.inner import LinearStanding, answered, descended, mean_loss, moving, stacked
from headstart.meta_learning.learner import Batch, Learner, Origin
from headstart.network import Network
from headstart.tasks import CLASSIFICATION, REGRESSION
from headstart.tasks.task import Kind
from headstart.training.step import Features

__all__ = ["FOMAML", "MAML"]


@dataclass(frozen=True, kw_only=True)
class MAML(Learner):
    """inner_lr    of the steps in an episode
    steps          in an episode of meta-training
    test_steps     in an episode that is only answered
    """

    about: ClassVar[str] = "weights from which a few gradient steps lead to good answers; second derivatives"
    kinds: ClassVar[tuple[Kind, ...]] = (CLASSIFICATION, REGRESSION)
    rule: ClassVar[str] = "fine-tune"
    moves: ClassVar[bool] = True
    second_order: ClassVar[bool] = True
    inner_lr: float = 0.1
    steps: int = 3
    test_steps: int = 5

    def __post_init__(self) -> None:
        positive("inner_lr", self.inner_lr)
        at_least("steps", self.steps, 1)
        at_least("test_steps", self.test_steps, 0)

    def head(self, origin: Origin) -> nn.Module:
        return LinearStanding(origin)

    def answers(self, network: Network, features: Features, batch: Batch) -> Tensor:
        """See `Learner`; `features` is passed over, since the backbone moves."""
        return self._answers(network, batch, self.test_steps)

    def loss(self, network: Network, features: Features, batch: Batch) -> Tensor:
        return mean_loss(self._answers(network, batch, self.steps), batch.asked, batch.kind)

    def add_gradients(self, network: Network, features: Features, batches: Sequence[Batch]) -> float:
        """See `Learner`; episodes of rows of numbers are calculated together."""
        together = stacked(batches)
        if together is None:
            return super().add_gradients(network, features, batches)

        def loss(inputs: Tensor, targets: Tensor) -> Tensor:
            return self.loss(network, features, batches[0]._replace(inputs=(inputs,), targets=targets))

        mean = torch.vmap(loss)(*together).mean()
        torch.autograd.backward(mean)
        return float(mean.detach())

    def _answers(self, network: Network, batch: Batch, steps: int) -> Tensor:
        support = tuple(x[: batch.support] for x in batch.inputs)
        query = tuple(x[batch.support :] for x in batch.inputs)
        weights = descended(
            lambda weights: mean_loss(answered(network, weights, support), batch.known, batch.kind),
            moving(network),
            lr=self.inner_lr,
            steps=steps,
            through=self.second_order and torch.is_grad_enabled(),
        )
        return answered(network, weights, query)


@dataclass(frozen=True, kw_only=True)
class FOMAML(MAML):
    """The same to first order."""

    about: ClassVar[str] = "MAML to first order: steps count as constants, which takes less memory and time"
    second_order: ClassVar[bool] = False
