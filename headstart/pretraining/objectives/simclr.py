"""SimCLR (Chen et al., 2020, "A Simple Framework for Contrastive Learning of Visual Representations"), NT-Xent.

l(i, j) = -log exp(s(z_i, z_j) / t) / sum_{k != i} exp(s(z_i, z_k) / t),   s the cosine,   z = g(f(x))

the mean over both directions of the N pairs (i, j) of views among the 2N of a batch. Use it with batches of at least
some dozens; below, `moco` compares with the views of earlier batches too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.backbones.backbone import Backbone
from headstart.checks import at_least, positive
from headstart.pretraining.objective import Learner, Objective
from headstart.pretraining.projector import Projected, projector
from headstart.pretraining.variation import Pair, Variation
from headstart.pretraining.views import Views

__all__ = ["SimCLR", "nt_xent"]


@dataclass(frozen=True, kw_only=True)
class SimCLR(Objective):
    """temperature   t above
    hidden, width   of the projector g, a layer and its output
    """

    temperature: float = 0.2
    hidden: int = 512
    width: int = 128

    def __post_init__(self) -> None:
        positive("temperature", self.temperature)
        for name in ("hidden", "width"):
            at_least(name, getattr(self, name), 1)

    def views(self, backbone: Backbone, variation: Variation) -> Views:
        return Pair(variation)

    def learner(self, encoder: nn.Module, dim: int) -> Learner:
        return Projected(projector(dim, self.hidden, self.width), partial(nt_xent, temperature=self.temperature))


def nt_xent(z_i: Tensor, z_j: Tensor, temperature: float) -> Tensor:
    """The mean of l above over 2N views, of which row n of z_i and row n of z_j, (N, d) each, are a pair."""
    z = functional.normalize(torch.cat([z_i, z_j]), dim=1)
    itself = torch.eye(len(z), dtype=torch.bool, device=z.device)
    s = (z @ z.T / temperature).masked_fill(itself, -torch.inf)
    pair = torch.arange(len(z), device=z.device).roll(len(z_i))
    return functional.cross_entropy(s, pair)
