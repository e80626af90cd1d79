"""R2-D2 (Bertinetto, Henriques, Torr and Vedaldi, 2019): ridge regression in closed form inside each episode.

    W = X' (X X' + lambda I)^-1 Y          X (S, D) the support's features, Y its classes as 0 and 1, or its values
    logits = alpha X_q W + beta            lambda, alpha and beta are meta-learnt with the features

S x S and not D x D is solved (Woodbury): few rows, many features. A regression answers X_q W + the support's mean.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.checks import positive
from headstart.meta_learning.learner import FeatureLearner, Origin, Standing
from headstart.tasks import CLASSIFICATION, REGRESSION
from headstart.tasks.task import Kind

__all__ = ["R2D2", "ridge"]


class RidgeStanding(Standing):
    """With the logarithms of lambda and alpha, and beta."""

    def __init__(self, origin: Origin, lam: float, alpha: float) -> None:
        super().__init__(origin)
        self.log_lambda = nn.Parameter(torch.tensor(math.log(lam)))
        self.log_alpha = nn.Parameter(torch.tensor(math.log(alpha)))
        self.beta = nn.Parameter(torch.zeros(()))


@dataclass(frozen=True, kw_only=True)
class R2D2(FeatureLearner):
    """lam, alpha   where lambda and alpha begin"""

    about: ClassVar[str] = "the backbone is trained so that ridge regression on the support is right"
    kinds: ClassVar[tuple[Kind, ...]] = (CLASSIFICATION, REGRESSION)
    rule: ClassVar[str] = "ridge"
    head_lr: ClassVar[float] = 10.0
    lam: float = 1.0
    alpha: float = 10.0

    def __post_init__(self) -> None:
        positive("lam", self.lam)
        positive("alpha", self.alpha)

    def head(self, origin: Origin) -> nn.Module:
        return RidgeStanding(origin, self.lam, self.alpha)

    def from_features(self, head: nn.Module, support: Tensor, targets: Tensor, query: Tensor, way: int) -> Tensor:
        ridged = cast(RidgeStanding, head)
        x, x_q, lam = ridged(support), ridged(query), torch.exp(ridged.log_lambda)
        if targets.is_floating_point():
            middle = targets.mean()
            values: Tensor = x_q @ ridge(x, (targets - middle).unsqueeze(1).to(x.dtype), lam) + middle
            return values
        y = functional.one_hot(targets, way).to(x.dtype)
        logits: Tensor = torch.exp(ridged.log_alpha) * (x_q @ ridge(x, y, lam)) + ridged.beta
        return logits


def ridge(x: Tensor, y: Tensor, lam: Tensor) -> Tensor:
    """(D, C) X' (X X' + lambda I)^-1 Y."""
    gram = x @ x.T + lam * torch.eye(len(x), dtype=x.dtype, device=x.device)
    weights: Tensor = x.T @ torch.linalg.solve(gram, y)
    return weights
