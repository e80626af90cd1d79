"""VICReg (Bardes et al., 2022, "VICReg: Variance-Invariance-Covariance Regularization for Self-Supervised Learning").

l = i s(Z, Z') + v (u(Z) + u(Z')) + c (k(Z) + k(Z'))
s(Z, Z') = mean (z - z')^2     u(Z) = mean_j max(0, 1 - sqrt(Var(Z_j) + e))     k(Z) = sum_{j != l} Cov(Z)_jl^2 / d

as in algorithm 1 of the paper, whose s is a mean over dimensions too. Nothing is compared with other rows, so that
small batches do; u holds the embeddings apart, which makes it the one to try where others collapse.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.backbones.backbone import Backbone
from headstart.checks import at_least
from headstart.pretraining.objective import Learner, Objective
from headstart.pretraining.projector import Projected, projector
from headstart.pretraining.variation import Pair, Variation
from headstart.pretraining.views import Views

__all__ = ["VICReg", "vicreg"]

_E = 1e-4


@dataclass(frozen=True, kw_only=True)
class VICReg(Objective):
    """invariance, variance, covariance   i, v and c above
    hidden, width   of the projector, its layers and its output
    """

    invariance: float = 25.0
    variance: float = 25.0
    covariance: float = 1.0
    hidden: int = 512
    width: int = 512
    advice: ClassVar[str] = "a larger variance (--option variance=50)"

    def __post_init__(self) -> None:
        for name in ("invariance", "variance", "covariance"):
            at_least(name, getattr(self, name), 0)
        for name in ("hidden", "width"):
            at_least(name, getattr(self, name), 1)

    def views(self, backbone: Backbone, variation: Variation) -> Views:
        return Pair(variation)

    def learner(self, encoder: nn.Module, dim: int) -> Learner:
        weights = (self.invariance, self.variance, self.covariance)
        return Projected(projector(dim, self.hidden, self.width, layers=3), partial(vicreg, weights=weights))


def vicreg(z: Tensor, other: Tensor, weights: tuple[float, float, float]) -> Tensor:
    """l above of two views (N, d) of the same rows, with weights (i, v, c)."""
    i, v, c = weights
    parted = [functional.relu(1 - (x.var(0) + _E).sqrt()).mean() for x in (z, other)]
    crossed = [_off_diagonal(x.T.cov()).square().sum() / z.shape[1] for x in (z, other)]
    return i * functional.mse_loss(z, other) + v * (parted[0] + parted[1]) + c * (crossed[0] + crossed[1])


def _off_diagonal(matrix: Tensor) -> Tensor:
    """Everything but the diagonal, in a row."""
    return matrix[~torch.eye(len(matrix), dtype=torch.bool, device=matrix.device)]
