"""L2-SP (Li, Grandvalet and Davoine, 2018): weights are drawn to where they came from, not to zero.

    min  L(theta; target) + weight / 2 ||theta - theta_source||^2 + head / 2 ||theta_head||^2

Use it where few rows would otherwise make the backbone forget. An infinite weight is the probe.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from headstart.losses.supervised import Supervised
from headstart.network import HEAD, Network

__all__ = ["L2SP"]


@dataclass(frozen=True, kw_only=True)
class L2SP(Supervised):
    """weight   of the distance to the source      head   of the head's own norm"""

    weight: float = 0.01
    head: float = 0.01

    def penalty(self, network: Network, source: dict[str, Tensor]) -> Tensor | None:
        """`source`: the weights that the backbone came with, by name."""
        heads = set(network.stage(HEAD))
        total = torch.zeros(())
        for name, weights in network.named_parameters():
            if not weights.requires_grad:
                continue
            if name in heads:
                total = total + self.head / 2 * weights.square().sum()
            else:
                total = total + self.weight / 2 * (weights - source[name]).square().sum()
        return total
