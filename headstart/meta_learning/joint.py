"""Plain training on all small tasks at once, then the steps of an episode: what MAML must beat (Finn et al., 2017).

minimise  sum_i L_i(theta) over all rows of task i;   in an episode theta'_i = theta - lr grad L_support_i(theta)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from headstart.meta_learning.inner import mean_loss
from headstart.meta_learning.learner import Batch
from headstart.meta_learning.maml import MAML
from headstart.network import Network
from headstart.training.step import Features

__all__ = ["Joint"]


@dataclass(frozen=True, kw_only=True)
class Joint(MAML):
    """A yardstick of regressions: the network learns all tasks as if they were one."""

    about: ClassVar[str] = "one network for all tasks, tuned in each episode"
    second_order: ClassVar[bool] = False

    def loss(self, network: Network, features: Features, batch: Batch) -> Tensor:
        answers: Tensor = network(*batch.inputs)
        return mean_loss(answers, batch.targets, batch.kind)
