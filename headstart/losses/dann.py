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

from headstart.data.task import Kind
from headstart.losses.adversary import adversary, ramp, reverse, told_apart
from headstart.losses.domains import Against, Domains
from headstart.losses.regular import Helper
from headstart.losses.supervised import Needs, Supervised
from headstart.network import Network, TunedHead

__all__ = ["DANN"]


@dataclass(frozen=True, kw_only=True)
class DANN(Supervised):
    """weight   of the reversed gradient, in the end
    sharp    how fast it gets there
    width    of the two hidden layers of G_d
    rate     how much faster G_d learns than the backbone's last stage
    """

    weight: float = 1.0
    sharp: float = 10.0
    width: int = 128
    rate: float = 10.0
    needs: ClassVar[Needs] = "target"
    kinds: ClassVar[tuple[Kind, ...]] = ("classification", "regression")
    amounts: ClassVar[tuple[str, ...]] = ("l1", "l2", "weight", "sharp")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width < 1:
            raise ValueError(f"width = {self.width}: expected 1 or more")
        if not self.rate > 0:
            raise ValueError(f"rate = {self.rate}: expected more than 0")

    def start(self, network: Network, seed: int = 0) -> Against:
        """With an adversary that knows nothing yet."""
        mean = cast(TunedHead, network.head).mean
        told = adversary(len(mean), self.width, seed, mean)

        def cost(both: Domains) -> Tensor:
            return told_apart(self._said(told, both), both.target)

        return Against(network, self, cost, Helper(told, self.rate))

    def _said(self, told: nn.Module, both: Domains) -> Tensor:
        x = reverse(both.x, self.weight * ramp(both.found.done, self.sharp))
        said: Tensor = told(x)
        return torch.squeeze(said, 1)
