"""BYOL (Grill et al., 2020, "Bootstrap Your Own Latent").

l = sum over both directions of |u(q(z)) - u(z'_t)|^2 = 2 - 2 cos(q(z), z'_t),   u(x) = x / |x|

z = g(f(x)) of the network that learns, z'_t of the other view by a teacher whose weights are a moving average of it.
No negatives, so that small batches do. Its momentum is for thousands of steps: with few take a lower one.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from headstart.backbones.backbone import Backbone
from headstart.checks import at_least, share_below_one
from headstart.pretraining.objective import Encoded, Learner, Objective
from headstart.pretraining.projector import projector
from headstart.pretraining.teacher import Teacher, rising
from headstart.pretraining.variation import Pair, Variation
from headstart.pretraining.views import Views

__all__ = ["BYOL", "regression_cost"]


@dataclass(frozen=True, kw_only=True)
class BYOL(Objective):
    """momentum   of the teacher, at first; it rises to 1
    hidden, width   of the projector g and of the predictor q: their layer and their output
    """

    momentum: float = 0.99
    hidden: int = 512
    width: int = 128

    def __post_init__(self) -> None:
        share_below_one("momentum", self.momentum)
        for name in ("hidden", "width"):
            at_least(name, getattr(self, name), 1)

    def views(self, backbone: Backbone, variation: Variation) -> Views:
        return Pair(variation)

    def learner(self, encoder: nn.Module, dim: int) -> Learner:
        return _Bootstrap(self, encoder, dim)


class _Bootstrap(Learner):
    def __init__(self, options: BYOL, encoder: nn.Module, dim: int) -> None:
        super().__init__()
        self.g = projector(dim, options.hidden, options.width)
        self.q = projector(options.width, options.hidden, options.width)
        self.f_t, self.g_t = Teacher(encoder), Teacher(self.g)
        self._momentum, self._done = options.momentum, 0.0

    def forward(self, rows: Encoded) -> Tensor:
        self._done = rows.done
        shape = rows.features.shape[:2]
        taught = self.f_t.answer(rows.encoder, *rows.inputs).float().flatten(0, 1)
        z_t = self.g_t.answer(self.g, taught).reshape(*shape, -1)
        p = self.q(self.g(rows.features.float().flatten(0, 1))).reshape(*shape, -1)
        return regression_cost(p[:, 0], z_t[:, 1]) + regression_cost(p[:, 1], z_t[:, 0])

    def stepped(self, encoder: nn.Module) -> None:
        momentum = rising(self._momentum, self._done)
        self.f_t.follow(encoder, momentum)
        self.g_t.follow(self.g, momentum)


def regression_cost(p: Tensor, z: Tensor) -> Tensor:
    """2 - 2 cos(p, z), the mean over rows (N, d)."""
    return 2 - 2 * functional.cosine_similarity(p, z, dim=1).mean()
