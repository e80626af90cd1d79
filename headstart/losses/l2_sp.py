"""L2-SP (Li, Grandvalet and Davoine, 2018): weights are drawn to where they came from, not to zero.

    min  L(theta; target) + weight / 2 ||theta - theta_source||^2 + head / 2 ||theta_head||^2

Use it where few rows would otherwise make the backbone forget. An infinite weight is the probe.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from headstart.losses.penalty import Context, Norms
from headstart.losses.supervised import Needs, Supervised
from headstart.network import HEAD, Network

__all__ = ["L2SP"]


@dataclass(frozen=True, kw_only=True)
class L2SP(Supervised):
    """weight   of the distance to the source      head   of the head's own norm"""

    weight: float = 0.01
    head: float = 0.01
    needs: ClassVar[Needs] = "source"
    amounts: ClassVar[tuple[str, ...]] = ("l1", "l2", "weight", "head")

    def start(self, context: Context) -> ToSource:
        """The distance from the weights that the network has now."""
        return ToSource(context.network, self)


class ToSource(Norms):
    """The two squared distances above."""

    def __init__(self, network: Network, loss: L2SP) -> None:
        super().__init__(network, l1=loss.l1, l2=loss.l2)
        self._loss = loss
        self._source = {name: weights.detach().clone() for name, weights in network.named_parameters()}

    def weights(self) -> Tensor | None:
        """Of the weights that learn."""
        network, loss = self._network, self._loss
        heads = set(network.stage(HEAD))
        parts = [
            loss.head / 2 * weights.square().sum()
            if name in heads
            else loss.weight / 2 * (weights - self._source[name]).square().sum()
            for name, weights in network.named_parameters()
            if weights.requires_grad
        ]
        norms = super().weights()
        total = torch.stack(parts).sum()
        return total if norms is None else total + norms
