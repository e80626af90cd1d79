"""Matching networks (Vinyals, Blundell, Lillicrap, Kavukcuoglu and Wierstra, 2016): attention over the support.

    a(x, x_i) = exp(scale cos(f(x), f(x_i))) / sum_j exp(scale cos(f(x), f(x_j)))
    p(y = k | x) = sum over i with y_i = k of a(x, x_i)

Without the paper's full context embeddings; its scale is 1, at which attention can hardly be sharp.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.checks import positive
from headstart.meta_learning.learner import FeatureLearner

__all__ = ["Matching"]


@dataclass(frozen=True, kw_only=True)
class Matching(FeatureLearner):
    """scale   of cosines"""

    about: ClassVar[str] = "the backbone is trained so that attention over the support, by cosine, is right"
    scale: float = 10.0

    def __post_init__(self) -> None:
        positive("scale", self.scale)

    def from_features(self, head: nn.Module, support: Tensor, targets: Tensor, query: Tensor, way: int) -> Tensor:
        s, q = (functional.normalize(head(x), dim=1) for x in (support, query))
        log_attention = functional.log_softmax(self.scale * q @ s.T, dim=1)
        of_class = functional.one_hot(targets, way).T.bool()
        return torch.stack([log_attention[:, members].logsumexp(1) for members in of_class], dim=1)
