"""Barlow Twins (Zbontar et al., 2021, "Barlow Twins: Self-Supervised Learning via Redundancy Reduction").

l = sum_i (1 - C_ii)^2 + r sum_{i != j} C_ij^2,   C = Z^T Z' / N,   Z and Z' standardised over the batch

Like VICReg it compares no rows with each other; it wants wide projections, and batches of some dozens for C.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.backbones.backbone import Backbone
from headstart.checks import at_least
from headstart.pretraining.objective import Learner, Objective
from headstart.pretraining.projector import Projected, projector
from headstart.pretraining.variation import Pair, Variation
from headstart.pretraining.views import Views

__all__ = ["BarlowTwins", "barlow_twins"]


@dataclass(frozen=True, kw_only=True)
class BarlowTwins(Objective):
    """redundancy   r above
    hidden, width   of the projector, its layers and its output
    """

    redundancy: float = 0.005
    hidden: int = 512
    width: int = 512

    def __post_init__(self) -> None:
        at_least("redundancy", self.redundancy, 0)
        for name in ("hidden", "width"):
            at_least(name, getattr(self, name), 1)

    def views(self, backbone: Backbone, variation: Variation) -> Views:
        return Pair(variation)

    def learner(self, encoder: nn.Module, dim: int) -> Learner:
        cost = partial(barlow_twins, redundancy=self.redundancy)
        return Projected(projector(dim, self.hidden, self.width, layers=3), cost)


def barlow_twins(z: Tensor, other: Tensor, redundancy: float) -> Tensor:
    """l above of two views (N, d) of the same rows."""
    c = _standardised(z).T @ _standardised(other) / len(z)
    diagonal = torch.eye(len(c), dtype=torch.bool, device=c.device)
    return (1 - c[diagonal]).square().sum() + redundancy * c[~diagonal].square().sum()


def _standardised(z: Tensor) -> Tensor:
    return functional.batch_norm(z, None, None, training=True)
