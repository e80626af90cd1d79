"""SimSiam (Chen and He, 2021, "Exploring Simple Siamese Representation Learning").

l = -(cos(p, [z']) + cos(p', [z])) / 2,   p = h(z),   z = g(f(x)),   [.] without a gradient

No negatives and no teacher: what keeps it from collapse is that no gradient flows through [.], and batch norm in g and
h. Of all objectives here it collapses most easily.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from headstart.backbones.backbone import Backbone
from headstart.checks import at_least
from headstart.pretraining.objective import Encoded, Learner, Objective
from headstart.pretraining.projector import projector
from headstart.pretraining.variation import Pair, Variation
from headstart.pretraining.views import Views

__all__ = ["SimSiam", "negative_cosine"]


@dataclass(frozen=True, kw_only=True)
class SimSiam(Objective):
    """hidden, width   of the projector g, its layers and its output
    bottleneck      the hidden layer of the predictor h
    """

    hidden: int = 512
    width: int = 512
    bottleneck: int = 128

    def __post_init__(self) -> None:
        for name in ("hidden", "width", "bottleneck"):
            at_least(name, getattr(self, name), 1)

    def views(self, backbone: Backbone, variation: Variation) -> Views:
        return Pair(variation)

    def learner(self, encoder: nn.Module, dim: int) -> Learner:
        g = projector(dim, self.hidden, self.width, layers=3, last_norm=True)
        return _Siamese(g, projector(self.width, self.bottleneck, self.width))


class _Siamese(Learner):
    def __init__(self, g: nn.Module, h: nn.Module) -> None:
        super().__init__()
        self.g, self.h = g, h

    def forward(self, rows: Encoded) -> Tensor:
        features = rows.features.float()
        z = self.g(features.flatten(0, 1))
        p, z = (values.unflatten(0, features.shape[:2]) for values in (self.h(z), z))
        return (negative_cosine(p[:, 0], z[:, 1]) + negative_cosine(p[:, 1], z[:, 0])) / 2


def negative_cosine(p: Tensor, z: Tensor) -> Tensor:
    """-cos(p, [z]), the mean over rows (N, d)."""
    return -functional.cosine_similarity(p, z.detach(), dim=1).mean()
