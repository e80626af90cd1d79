"""The proximal term of FedProx (Li et al., 2020, equation 2): a client's weights stay near where the round began.

min  L(w) + mu / 2 ||w - w_t||^2
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from headstart.checks import at_least
from headstart.losses.penalty import Context, Norms
from headstart.losses.supervised import Supervised

__all__ = ["Proximal"]


@dataclass(frozen=True, kw_only=True)
class Proximal(Supervised):
    """mu      of the squared distance
    begin   w_t, by the names of the network's parameters; what is not named is not held
    """

    mu: float
    begin: Mapping[str, Tensor] = field(repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("mu", self.mu, 0)

    def start(self, context: Context) -> ToBeginning:
        """The distance from `begin`."""
        return ToBeginning(context, self)


class ToBeginning(Norms):
    """Half of mu times the squared distance of what learns."""

    def __init__(self, context: Context, loss: Proximal) -> None:
        super().__init__(context.network, l1=loss.l1, l2=loss.l2)
        self._mu, self._begin = loss.mu, loss.begin

    def weights(self) -> Tensor | None:
        """See the module."""
        parts = [
            (weights - self._begin[name].to(weights.device)).square().sum()
            for name, weights in self._network.named_parameters()
            if weights.requires_grad and name in self._begin
        ]
        norms = super().weights()
        if not (parts and self._mu):
            return norms
        pull = self._mu / 2 * torch.stack(parts).sum()
        return pull if norms is None else pull + norms
