"""What is minimised beside the loss of the labels: a cost of each batch, and one of the weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from headstart.network import Network
from headstart.tasks import CLASSIFICATION
from headstart.tasks.task import Kind

__all__ = ["Balance", "Context", "Helper", "Norms", "Pass", "Penalty", "TaskCost"]


class Context(NamedTuple):
    """What a loss may look at when a training begins.

    network   with the weights that it begins with
    seed      of the training
    kind      of the task
    teacher   (N, C) logits, or (N, 1) values, of a teacher for all rows of the training, by their numbers; NaN where it
              says nothing of a row, or does not know a class
    teacher_features   (N, D) what the teacher's backbone makes of them; None where the loss did not ask for it
    teacher_maps       by (height, width), (N, height * width): where the teacher looks, as vectors of unit length
    """

    network: Network
    seed: int = 0
    kind: Kind = CLASSIFICATION
    teacher: Tensor | None = None
    teacher_features: Tensor | None = None
    teacher_maps: Mapping[tuple[int, int], Tensor] = MappingProxyType({})


class Pass(NamedTuple):
    """Rows that have just gone through the network.

    inputs    of the backbone
    features  (N, D) what it made of them
    logits    (N, C) what the head says of them; where mixup mixes features, of the mixed ones
    kind      of the task
    target    (N,) bool: the rows that are of the target; None where there is no other task
    done      how much of the stage is over, 0 to 1
    rows      (N,) the numbers of the rows in the training, as a teacher's answers go by them
    targets   (N,) codes, (N, C) 0 or 1, or (N,) values
    weights   (N,) how much each row's target counts; 0 where it is not known
    """

    inputs: tuple[Tensor, ...]
    features: Tensor
    logits: Tensor
    kind: Kind
    target: Tensor | None = None
    done: float = 0.0
    rows: Tensor | None = None
    targets: Tensor | None = None
    weights: Tensor | None = None


class Helper(NamedTuple):
    """A network that learns beside the other and is not kept, and how fast, in units of the run's learning rate. Every
    stage begins with the weights that it was made with.

    stepped   called after each step: what follows the weights, such as a teacher that is their moving average
    epoch     called with the number of an epoch that is done, before it is in the journal, the network in eval mode
    """

    module: nn.Module
    rate: float
    stepped: Callable[[], None] | None = None
    epoch: Callable[[int], None] | None = None


class Penalty(Protocol):
    """Made by a loss at the beginning of a training, when the network has its first weights."""

    @property
    def helper(self) -> Helper | None: ...

    def batch(self, forward_pass: Pass) -> Tensor | None:
        """The cost of these rows. None: nothing.

        Where a batch goes through in parts, each part, which holds rows of both tasks if there are two, is asked, and
        costs count by rows: a mean over rows adds up to that of the batch. A statistic of a batch, such as a
        covariance or a singular value, is then the mean of those of the parts, and noisier.
        """

    def weights(self) -> Tensor | None:
        """The cost of the weights, once a step; None for nothing."""

    def close(self) -> None:
        """The training is over."""


class TaskCost(NamedTuple):
    """What some rows of a batch cost each of several tasks.

    losses   (T,) which add up over the parts of a batch to the mean over the rows that answer each task
    share    of the rows of the batch
    """

    losses: Tensor
    share: float


class Balance(Penalty, Protocol):
    """That of a loss that needs "tasks": it makes one step of several losses."""

    def gradient(self, costs: Iterable[TaskCost], rng: np.random.Generator) -> Tensor:
        """Leave in every weight that learns the gradient to go down; what was minimised, in sum."""


class Norms:
    """l1 sum |theta| + l2 / 2 sum theta^2 over the matrices that learn: biases and norms are left alone."""

    helper: Helper | None = None

    def __init__(self, network: Network, *, l1: float, l2: float) -> None:
        self._network, self._l1, self._l2 = network, l1, l2

    def batch(self, forward_pass: Pass) -> Tensor | None:
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
