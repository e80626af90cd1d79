"""DELTA (Li et al., 2019, equation 4) and batch spectral shrinkage (Chen et al., 2019, equation 6).

    min  L(theta; target) + weight sum_l mean_i ||FM_l(x_i; theta) - FM_l(x_i; theta_source)||^2 / |FM_l|
                          + shrink sum_{j <= k} sigma_j(F)^2

FM_l are the maps that stage l makes of a batch, F (N, D) its features, sigma_j their smallest singular values. The
first term lets weights move as long as what they compute stays near; the second gives up directions in which features
hardly vary, which is where what was learnt from the source does harm. All channels weigh alike.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from headstart.checks import at_least
from headstart.losses.penalty import Context, Norms, Pass
from headstart.losses.supervised import Needs, Supervised
from headstart.losses.taps import Taps
from headstart.network import Network

__all__ = ["Delta"]


@dataclass(frozen=True, kw_only=True)
class Delta(Supervised):
    """weight   of the distance between maps
    shrink   of the smallest singular values
    smallest k above
    """

    weight: float = 0.1
    shrink: float = 0.001
    smallest: int = 1
    needs: ClassVar[Needs] = "maps"
    amounts: ClassVar[tuple[str, ...]] = ("l1", "l2", "weight", "shrink")

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("smallest", self.smallest, 1, "; shrink = 0 is without")

    def start(self, context: Context) -> Maps:
        """The distance from the maps of the network as it is now."""
        return Maps(context.network, self)


class Maps(Norms):
    """The two terms above, with a frozen copy of the backbone."""

    def __init__(self, network: Network, loss: Delta) -> None:
        super().__init__(network, l1=loss.l1, l2=loss.l2)
        self._loss = loss
        self._source = deepcopy(network.backbone).eval().requires_grad_(False)
        places = [end for stage in network.stages[:-1] for end in network.modules_of(stage)[-1:]]
        self._now, self._then = Taps(network.backbone, places), Taps(self._source, places)

    def batch(self, forward_pass: Pass) -> Tensor | None:
        """Of these rows."""
        loss = self._loss
        now = self._now.taken()
        with torch.no_grad():
            self._source(*forward_pass.inputs)
        then = self._then.taken()
        apart = torch.stack([(a.float() - b.float()).square().mean() for a, b in zip(now, then, strict=True)]).sum()
        return loss.weight * apart + loss.shrink * spectral_tail(forward_pass.features, loss.smallest)

    def close(self) -> None:
        """Leave the network as it was."""
        self._now.close()
        self._then.close()


def spectral_tail(features: Tensor, smallest: int) -> Tensor:
    """sum of the squares of the `smallest` least singular values of (N, D); nan where features are not finite."""
    if not features.isfinite().all():
        return features.sum() * torch.nan  # LAPACK would raise an error of its own
    values = torch.linalg.svdvals(features.float())
    tail: Tensor = values[-min(smallest, len(values)) :].square().sum()
    return tail
