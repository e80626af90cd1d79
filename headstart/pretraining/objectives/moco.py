"""MoCo (He et al., 2020, "Momentum Contrast for Unsupervised Visual Representation Learning"): a memory bank.

l = -log exp(q.k / t) / (exp(q.k / t) + sum_m exp(q.m / t)),   q, k, m of length 1

q of one view by the network that learns, k of the other by a teacher whose weights are a moving average of it, m the
keys of earlier batches, in a queue: many negatives however small the batch. Both directions are taken, the queue gets
the first view's key of each row, and a row is not its own negative.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.backbones.backbone import Backbone
from headstart.checks import at_least, positive, share_below_one
from headstart.pretraining.objective import Encoded, Learner, Objective
from headstart.pretraining.projector import projector
from headstart.pretraining.teacher import Latest, Teacher
from headstart.pretraining.variation import Pair, Variation
from headstart.pretraining.views import Views

__all__ = ["MoCo", "info_nce"]

_NOBODY = -1


@dataclass(frozen=True, kw_only=True)
class MoCo(Objective):
    """temperature   t above
    queue      how many keys it holds
    momentum   of the teacher
    hidden, width   of the projector, its layer and its output
    """

    temperature: float = 0.2
    queue: int = 1024
    momentum: float = 0.99
    hidden: int = 512
    width: int = 128

    def __post_init__(self) -> None:
        positive("temperature", self.temperature)
        share_below_one("momentum", self.momentum)
        for name in ("queue", "hidden", "width"):
            at_least(name, getattr(self, name), 1)

    def views(self, backbone: Backbone, variation: Variation) -> Views:
        return Pair(variation)

    def learner(self, encoder: nn.Module, dim: int) -> Learner:
        return _Momentum(self, encoder, dim)


class _Momentum(Learner):
    keys: Tensor
    owners: Tensor
    next: Tensor

    def __init__(self, options: MoCo, encoder: nn.Module, dim: int) -> None:
        super().__init__()
        self._options = options
        self.g = projector(dim, options.hidden, options.width)
        self.f_t, self.g_t = Teacher(encoder), Teacher(self.g)
        self.register_buffer("keys", torch.zeros(options.queue, options.width))
        self.register_buffer("owners", torch.full((options.queue,), _NOBODY))
        self.register_buffer("next", torch.zeros((), dtype=torch.int64))
        self._latest = Latest()

    def forward(self, rows: Encoded) -> Tensor:
        shape = rows.features.shape[:2]
        taught = self.f_t.answer(rows.encoder, *rows.inputs).float().flatten(0, 1)
        k = functional.normalize(self.g_t.answer(self.g, taught), dim=1).reshape(*shape, -1)
        q = functional.normalize(self.g(rows.features.float().flatten(0, 1)), dim=1).reshape(*shape, -1)
        self._latest.put(rows.rows, k[:, 0].float())
        other = (self.owners != rows.rows.to(self.owners.device)[:, None]) & (self.owners != _NOBODY)
        t = self._options.temperature
        return (
            sum(
                (info_nce(q[:, view], k[:, 1 - view], self.keys, other, t) for view in (0, 1)),
                torch.zeros_like(q[0, 0, 0]),
            )
            / 2
        )

    def stepped(self, encoder: nn.Module) -> None:
        self.f_t.follow(encoder, self._options.momentum)
        self.g_t.follow(self.g, self._options.momentum)
        rows, keys = self._latest.take()
        places = (self.next.cpu() + torch.arange(len(rows))) % len(self.keys)
        last = slice(max(0, len(rows) - len(self.keys)), None)
        self.keys[places[last]], self.owners[places[last]] = keys[last], rows[last].to(self.owners.device)
        self.next += len(rows)


def info_nce(q: Tensor, k: Tensor, m: Tensor, other: Tensor, temperature: float) -> Tensor:
    """The mean of l above. q, k (N, d), m (M, d); other (N, M): which of them are negatives of which row."""
    negatives = (q @ m.T).masked_fill(~other, -torch.inf)
    scores = torch.cat([(q * k).sum(1, keepdim=True), negatives], 1) / temperature
    return functional.cross_entropy(scores, torch.zeros(len(q), dtype=torch.int64, device=q.device))
