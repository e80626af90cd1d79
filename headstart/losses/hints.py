"""Hints (FitNets: Romero et al., 2015, equation 3): the student's features foretell the teacher's, by a linear map.

    min  labels L_y + weight / 2 mean_i ||u_i - r(v_i)||^2 / D

v are the student's features as its head gets them, u (D,) the teacher's, less their mean and over their spread, one for
all; the regressor r learns beside the network and is let go. The authors guide a middle layer first and learn answers
then; here the last features are guided while the labels are learnt. Use it where few labels say too little of what the
features should hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np
import torch
from torch import Tensor, nn

from headstart.checks import positive
from headstart.heads.module import HeadModule
from headstart.losses.distilled import Distilled
from headstart.losses.penalty import Context, Helper, Norms, Pass
from headstart.losses.supervised import Knowledge

__all__ = ["Hints", "regressor", "standardised"]

_STREAM = 3


@dataclass(frozen=True, kw_only=True)
class Hints(Distilled):
    """weight   of the distance between features
    rate     how much faster the regressor learns than the backbone's last stage
    """

    weight: float = 1.0
    rate: float = 10.0
    learns_from: ClassVar[Knowledge] = "features"
    amounts: ClassVar[tuple[str, ...]] = ("l1", "l2", "labels", "weight")

    def __post_init__(self) -> None:
        super().__post_init__()
        positive("rate", self.rate)

    def start(self, context: Context) -> Guided:
        """With a regressor that knows nothing yet."""
        return Guided(context, self)


class Guided(Norms):
    """The second term above."""

    def __init__(self, context: Context, loss: Hints) -> None:
        super().__init__(context.network, l1=loss.l1, l2=loss.l2)
        if context.teacher_features is None:
            raise ValueError("Hints learns from the teacher's features: give Data(teacher_features=...)")
        self._weight, self._head = loss.weight, cast(HeadModule, context.network.head)
        self._u = standardised(context.teacher_features.float())
        self.helper = Helper(regressor(self._head.mean, self._u.shape[1], context.seed), loss.rate)

    def batch(self, forward_pass: Pass) -> Tensor | None:
        """Of all rows."""
        if forward_pass.rows is None or self.helper is None:
            raise ValueError("a teacher's features go by the numbers of rows, and this pass has none")
        u = self._u[forward_pass.rows.cpu()].to(forward_pass.features.device)
        with torch.autocast(forward_pass.features.device.type, enabled=False):
            v = self._head.standardised(forward_pass.features.float())
            cost: Tensor = self._weight / 2 * (u - self.helper.module(v)).square().mean()
        return cost


def standardised(features: Tensor) -> Tensor:
    """(N, D) less their mean, over the root of their mean variance."""
    centred = features - features.mean(0)
    return centred / centred.square().mean().sqrt().clamp_min(torch.finfo(features.dtype).tiny)


def regressor(like: Tensor, outputs: int, seed: int) -> nn.Linear:
    """r above, from as many features as `like` (D,) has, on its device; drawn apart from all else."""
    drawn = int(np.random.default_rng([seed, _STREAM]).integers(2**62))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(drawn)
        made = nn.Linear(len(like), outputs)
    return made.to(like.device)
