"""SimpleShot (Wang, Chao, Weinberger and van der Maaten, 2019): good features, centred, of unit length; nearest mean.

    x <- x - mean of the meta-training features;   x <- x / |x|;   mu_k = mean of the support of class k
    logit_k = -|x - mu_k|^2

Nothing is meta-trained. Often hard to beat with a good backbone: every other learner is shown beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.meta_learning.learner import FeatureLearner

__all__ = ["SimpleShot", "means", "squared_distances"]


@dataclass(frozen=True, kw_only=True)
class SimpleShot(FeatureLearner):
    """Nearest mean of centred features of unit length."""

    about: ClassVar[str] = "nothing is trained: centred features of unit length, nearest class mean"
    trains: ClassVar[bool] = False

    def from_features(self, head: nn.Module, support: Tensor, targets: Tensor, query: Tensor, way: int) -> Tensor:
        s, q = (functional.normalize(head(x), dim=1) for x in (support, query))
        return -squared_distances(q, means(s, targets, way))


def means(x: Tensor, targets: Tensor, way: int) -> Tensor:
    """(way, D) the mean of the rows (S, D) of each class."""
    members = functional.one_hot(targets, way).to(x.dtype)
    return members.T @ x / members.sum(0).unsqueeze(1)


def squared_distances(x: Tensor, mu: Tensor) -> Tensor:
    """(N, K) |x_n - mu_k|^2."""
    return x.square().sum(1, keepdim=True) - 2 * x @ mu.T + torch.sum(mu.square(), 1)
