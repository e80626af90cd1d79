"""ANIL (Raghu, Raghu, Bengio and Vinyals, 2020): MAML whose inner steps move the head alone ("almost no inner loop").

    h'_i = h - lr grad_h L_support_i(theta, h)          theta the backbone, h the head
    minimise  sum_i L_query_i(theta, h'_i)  over theta and h

The features of an episode are computed once, whatever the number of steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.func import functional_call

from headstart.checks import at_least, positive
from headstart.meta_learning.inner import LinearStanding, Weights, descended, mean_loss
from headstart.meta_learning.learner import FeatureLearner, Origin
from headstart.tasks import CLASSIFICATION, REGRESSION
from headstart.tasks.task import Kind

__all__ = ["ANIL"]


@dataclass(frozen=True, kw_only=True)
class ANIL(FeatureLearner):
    """inner_lr   of the steps in an episode; steps of them"""

    about: ClassVar[str] = "MAML whose steps in an episode move the head alone"
    kinds: ClassVar[tuple[Kind, ...]] = (CLASSIFICATION, REGRESSION)
    rule: ClassVar[str] = "head"
    inner_lr: float = 1.0
    steps: int = 10

    def __post_init__(self) -> None:
        positive("inner_lr", self.inner_lr)
        at_least("steps", self.steps, 1)

    def head(self, origin: Origin) -> nn.Module:
        return LinearStanding(origin)

    def from_features(self, head: nn.Module, support: Tensor, targets: Tensor, query: Tensor, way: int) -> Tensor:
        kind = REGRESSION if targets.is_floating_point() else CLASSIFICATION

        def cost(weights: Weights) -> Tensor:
            return mean_loss(functional_call(head, weights, (support,)), targets, kind)

        begin: Weights = dict(head.named_parameters())
        weights = descended(cost, begin, lr=self.inner_lr, steps=self.steps, through=torch.is_grad_enabled())
        answers: Tensor = functional_call(head, weights, (query,))
        return answers
