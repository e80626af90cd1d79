"""What losses that compare a source with a target have in common: the features that the head sees, domain by domain."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, cast

import torch
from torch import Tensor

from headstart.heads.module import HeadModule
from headstart.losses.penalty import Helper, Norms, Pass
from headstart.losses.supervised import Supervised
from headstart.network import Network

__all__ = ["Against", "Apart", "Between", "Domains"]


class Domains(NamedTuple):
    """A pass with rows of both tasks.

    x       (N, D) features as the head's first layer gets them: of about unit variance at the beginning
    logits  (N, C)
    target  (N,) bool: the rows of the target
    """

    x: Tensor
    logits: Tensor
    target: Tensor
    found: Pass

    def parts(self) -> tuple[Tensor, Tensor]:
        """x of the source and of the target."""
        return self.x[~self.target], self.x[self.target]


Apart = Callable[[Domains], Tensor]
"""How far two domains are apart, or what else is to be small in both."""


class Between(Norms):
    """weight * cost, beside the norms of the weights."""

    def __init__(self, network: Network, loss: Supervised, weight: float, cost: Apart) -> None:
        super().__init__(network, l1=loss.l1, l2=loss.l2)
        self._weight, self._cost = weight, cost

    def batch(self, forward_pass: Pass) -> Tensor | None:
        """Of rows of both domains, in float32 whatever the precision of the network."""
        with torch.autocast(forward_pass.features.device.type, enabled=False):
            return self._weight * self._cost(self._domains(forward_pass))

    def _domains(self, forward_pass: Pass) -> Domains:
        if forward_pass.target is None:
            raise ValueError("this loss compares two tasks, and there is only one: give rows of a target")
        x = cast(HeadModule, self._network.head).standardised(forward_pass.features.float())
        return Domains(x, forward_pass.logits.float(), forward_pass.target, forward_pass)


class Against(Between):
    """cost, whose helper is the adversary: it is not weighed here, since only what is reversed is."""

    def __init__(self, network: Network, loss: Supervised, cost: Apart, helper: Helper) -> None:
        super().__init__(network, loss, 1.0, cost)
        self.helper = helper
