"""DANN (Ganin et al., 2016, equation 9): features from which nobody can tell the domains apart.

    min  L_y(G_y(G_f(x_s)), y_s) + (mean_s l(G_d(R_c(G_f(x))), 0) + mean_t l(G_d(R_c(G_f(x))), 1)) / 2

G_d learns to tell source from target; R_c turns its gradient round, so that the features G_f learn to defeat it, at
first a little and then more (`adversary`). Use it where domains look different and share their classes; where shares
of classes differ much, it mixes them up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from headstart.heads.module import HeadModule
from headstart.losses.adversary import Adversarial, adversary, told_apart
from headstart.losses.domains import Against, Domains
from headstart.losses.penalty import Context, Helper
from headstart.tasks import CLASSIFICATION, REGRESSION
from headstart.tasks.task import Kind

__all__ = ["DANN"]


@dataclass(frozen=True, kw_only=True)
class DANN(Adversarial):
    """Options as of `Adversarial`."""

    kinds: ClassVar[tuple[Kind, ...]] = (CLASSIFICATION, REGRESSION)

    def start(self, context: Context) -> Against:
        """With an adversary that knows nothing yet."""
        mean = cast(HeadModule, context.network.head).mean
        discriminator = adversary(len(mean), self.width, context.seed, mean)

        def cost(both: Domains) -> Tensor:
            return told_apart(self._said(discriminator, both), both.target)

        return Against(context.network, self, cost, Helper(discriminator, self.rate))

    def _said(self, discriminator: nn.Module, both: Domains) -> Tensor:
        logits: Tensor = discriminator(self.reversed(both.x, both.found.done))
        return torch.squeeze(logits, 1)
