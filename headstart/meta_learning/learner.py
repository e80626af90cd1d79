"""What a learner of learning is: how it answers the query of an episode from its support, and what it minimises.

    outer loss   L(theta) = mean over episodes of  loss(answers_theta(support, query), truth of the query)

A learner on features sees the support and the query through the backbone; one that moves weights takes steps of
gradient descent on the support, by `torch.func`, without touching the network. One file a learner.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from headstart.network import Network
from headstart.tasks import CLASSIFICATION
from headstart.tasks.task import Kind
from headstart.training.step import Features

__all__ = ["Batch", "FeatureLearner", "Learner", "Origin", "Standing"]


class Batch(NamedTuple):
    """An episode as tensors.

    inputs    of its rows, the support first
    targets   (S + Q,) classes of the episode, or values
    support   S
    codes     (S + Q,) classes of the whole task, from 0 up; of a regression as targets
    """

    inputs: tuple[Tensor, ...]
    targets: Tensor
    support: int
    way: int
    kind: Kind
    codes: Tensor

    @property
    def asked(self) -> Tensor:
        """The targets of the query."""
        return self.targets[self.support :]

    @property
    def known(self) -> Tensor:
        """Those of the support."""
        return self.targets[: self.support]


class Origin(NamedTuple):
    """The features of the meta-training rows before any training: their mean (D,), and their spread, the root of the
    mean squared distance to it; and how many classes these rows have, and outputs an episode."""

    mean: Tensor
    spread: float
    classes: int
    outputs: int

    @classmethod
    def of(cls, features: Tensor, classes: int, outputs: int) -> Origin:
        mean = features.mean(0)
        spread = float((features - mean).square().sum(1).mean().sqrt())
        return cls(mean, spread or 1.0, classes, outputs)


class Standing(nn.Module):
    """What stands on the backbone: features (N, D) in units of their spread before training. It answers nothing."""

    mean: Tensor
    spread: Tensor

    def __init__(self, origin: Origin) -> None:
        super().__init__()
        self.register_buffer("mean", origin.mean.detach().clone())
        self.register_buffer("spread", torch.tensor(origin.spread))

    def forward(self, features: Tensor) -> Tensor:
        """(features - mean) / spread: 0 in the mean, 1 the mean squared length."""
        return (features - self.mean) / self.spread


@dataclass(frozen=True, kw_only=True)
class Learner(ABC):
    """Fields are options.

    about    in a line
    kinds    of tasks
    rule     the method of the table of `fit` that comes next to what it does in an episode
    trains   whether the backbone is meta-trained at all
    moves    whether it takes steps on the weights of the backbone in each episode
    head_lr  of what stands on the backbone, in units of the learning rate of the backbone
    """

    about: ClassVar[str]
    kinds: ClassVar[tuple[Kind, ...]] = (CLASSIFICATION,)
    rule: ClassVar[str] = "prototypes"
    trains: ClassVar[bool] = True
    moves: ClassVar[bool] = False
    head_lr: ClassVar[float] = 1.0

    def head(self, origin: Origin) -> nn.Module:
        """What stands on the backbone at the start, with what else is meta-learnt."""
        return Standing(origin)

    @abstractmethod
    def answers(self, network: Network, features: Features, batch: Batch) -> Tensor:
        """(Q, outputs) logits, or values, for the query of an episode. features: what the backbone makes of inputs."""

    def add_gradients(self, network: Network, features: Features, batches: Sequence[Batch]) -> float:
        """Adds the gradient of the outer loss of some episodes to `.grad` of what learns; gives the loss."""
        return sum(_backward(self.loss(network, features, batch) / len(batches)) for batch in batches)

    def loss(self, network: Network, features: Features, batch: Batch) -> Tensor:
        """The outer loss of an episode."""
        answers = self.answers(network, features, batch)
        return batch.kind.row_losses(answers, batch.asked, label_smoothing=0.0).mean()


class FeatureLearner(Learner):
    """One that needs of an episode only the features of its rows."""

    @abstractmethod
    def from_features(self, head: nn.Module, support: Tensor, targets: Tensor, query: Tensor, way: int) -> Tensor:
        """(Q, outputs) from features (S, D) and (Q, D), and the targets (S,) of the support."""

    def answers(self, network: Network, features: Features, batch: Batch) -> Tensor:
        rows = features(*batch.inputs)
        return self.from_features(network.head, rows[: batch.support], batch.known, rows[batch.support :], batch.way)


def _backward(loss: Tensor) -> float:
    if loss.requires_grad:
        torch.autograd.backward(loss)
    return float(loss.detach())
