"""Baseline++ (Chen, Liu, Kira, Wang and Huang, 2019): plain training with a cosine classifier, a new one an episode.

    logit_k = scale cos(f(x), w_k)
    training:   w over all classes of the source, f and w learn by cross-entropy
    episode:    f stays; new w_k, from the mean of class k's support on, by gradient descent on the support

The authors draw the new w_k; from the class means on (Qi, Brown and Lowe, 2018) fewer steps do, and nothing is drawn.
A batch holds the rows of an episode, so few classes at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.checks import at_least, positive
from headstart.meta_learning.inner import Weights, descended
from headstart.meta_learning.learner import Batch, FeatureLearner, Origin, Standing
from headstart.meta_learning.simple_shot import means
from headstart.network import Network
from headstart.training.step import Features

__all__ = ["BaselinePP"]


class CosineStanding(Standing):
    """With the vector w of each class of the source (C, D)."""

    def __init__(self, origin: Origin) -> None:
        super().__init__(origin)
        self.classes = nn.Parameter(torch.randn(origin.classes, len(origin.mean)))


@dataclass(frozen=True, kw_only=True)
class BaselinePP(FeatureLearner):
    """scale   of cosines; inner_lr and steps of the new classifier of an episode"""

    about: ClassVar[str] = "plain training on all classes with a cosine classifier, a new classifier an episode"
    rule: ClassVar[str] = "logistic"
    head_lr: ClassVar[float] = 10.0
    scale: float = 10.0
    inner_lr: float = 0.05
    steps: int = 20

    def __post_init__(self) -> None:
        positive("scale", self.scale)
        positive("inner_lr", self.inner_lr)
        at_least("steps", self.steps, 0)

    def head(self, origin: Origin) -> nn.Module:
        return CosineStanding(origin)

    def loss(self, network: Network, features: Features, batch: Batch) -> Tensor:
        """Of all rows, by their classes in the whole task."""
        head = cast(CosineStanding, network.head)
        x = head(features(*batch.inputs))
        return functional.cross_entropy(self._logits(x, head.classes), batch.codes)

    def from_features(self, head: nn.Module, support: Tensor, targets: Tensor, query: Tensor, way: int) -> Tensor:
        s, q = (functional.normalize(head(x), dim=1) for x in (support, query))

        def cost(weights: Weights) -> Tensor:
            return functional.cross_entropy(self._logits(s, weights["w"]), targets)

        begin = {"w": means(s, targets, way)}
        weights = descended(cost, begin, lr=self.inner_lr, steps=self.steps, through=torch.is_grad_enabled())
        return self._logits(q, weights["w"])

    def _logits(self, x: Tensor, w: Tensor) -> Tensor:
        return self.scale * functional.normalize(x, dim=1) @ functional.normalize(w, dim=1).T
