"""Prototypical networks (Snell, Swersky and Zemel, 2017): the features are trained so that the nearest mean is right.

    c_k = mean of f(x) over the support of class k
    p(y = k | x) = exp(-d(f(x), c_k)) / sum_j exp(-d(f(x), c_j)),    d = scale |f(x) - c_k|^2

The distance is in units of the features' spread before training; its scale is the paper's 1 otherwise (metric scaling:
Oreshkin, Rodriguez and Lacoste, 2018, section 3.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from headstart.checks import positive
from headstart.meta_learning.learner import FeatureLearner
from headstart.meta_learning.simple_shot import means, squared_distances

__all__ = ["ProtoNet"]


@dataclass(frozen=True, kw_only=True)
class ProtoNet(FeatureLearner):
    """scale   of squared distances"""

    about: ClassVar[str] = "the backbone is trained so that the nearest class mean is right"
    scale: float = 10.0

    def __post_init__(self) -> None:
        positive("scale", self.scale)

    def from_features(self, head: nn.Module, support: Tensor, targets: Tensor, query: Tensor, way: int) -> Tensor:
        c = means(head(support), targets, way)
        return -self.scale * squared_distances(head(query), c)
