"""DINO (Caron et al., 2021, "Emerging Properties in Self-Supervised Vision Transformers"), with two whole views.

l = -sum_k P_t(x')_k log P_s(x)_k,   P_s = softmax(h(f(x)) / t_s),   P_t = softmax((h_t(f_t(x')) - c) / t_t)

over both directions; the teacher's weights are a moving average of the student's, and c, the running mean of its
answers, keeps it from one answer for all, as sharpening keeps it from all answers alike. No small crops: their cost is
what a laptop lacks. For vision transformers first of all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.backbones.backbone import Backbone
from headstart.checks import at_least, positive, share_below_one
from headstart.pretraining.objective import Encoded, Learner, Objective
from headstart.pretraining.teacher import Latest, Teacher, rising
from headstart.pretraining.variation import Pair, Variation
from headstart.pretraining.views import Views

__all__ = ["DINO", "distillation_cost"]


@dataclass(frozen=True, kw_only=True)
class DINO(Objective):
    """student, teacher   temperatures t_s and t_t; the lower t_t, the sharper the answers
    momentum   of the teacher, at first; it rises to 1
    centre     of the running mean c
    answers    how many there are
    hidden, bottleneck   of the head h, its layers and what the answers are made from
    """

    student: float = 0.1
    teacher: float = 0.04
    momentum: float = 0.99
    centre: float = 0.9
    answers: int = 512
    hidden: int = 512
    bottleneck: int = 128
    advice: ClassVar[str] = "--option centre=0.5, which follows the answers faster; or --method vicreg"

    def __post_init__(self) -> None:
        for name in ("student", "teacher"):
            positive(name, getattr(self, name))
        for name in ("momentum", "centre"):
            share_below_one(name, getattr(self, name))
        for name in ("answers", "hidden", "bottleneck"):
            at_least(name, getattr(self, name), 1)

    def views(self, backbone: Backbone, variation: Variation) -> Views:
        return Pair(variation)

    def learner(self, encoder: nn.Module, dim: int) -> Learner:
        return _Distillation(self, encoder, dim)


class _Head(nn.Module):
    """h above: layers, length 1, and cosines with as many directions as there are answers."""

    def __init__(self, inputs: int, hidden: int, bottleneck: int, answers: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(inputs, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, bottleneck)
        )
        self.directions = nn.Parameter(torch.randn(answers, bottleneck))

    def forward(self, features: Tensor) -> Tensor:
        z = functional.normalize(self.layers(features), dim=-1)
        return functional.linear(z, functional.normalize(self.directions, dim=1))


class _Distillation(Learner):
    c: Tensor

    def __init__(self, options: DINO, encoder: nn.Module, dim: int) -> None:
        super().__init__()
        self._options, self._done = options, 0.0
        self.h = _Head(dim, options.hidden, options.bottleneck, options.answers)
        self.f_t, self.h_t = Teacher(encoder), Teacher(self.h)
        self.register_buffer("c", torch.zeros(options.answers))
        self._latest = Latest()

    def forward(self, rows: Encoded) -> Tensor:
        self._done = rows.done
        answers = self.h(rows.features.float())
        taught = self.h_t.answer(self.h, self.f_t.answer(rows.encoder, *rows.inputs).float())
        self._latest.put(rows.rows, taught.float().mean(1))
        t_s, t_t = self._options.student, self._options.teacher
        both = [distillation_cost(answers[:, view], taught[:, 1 - view] - self.c, t_s, t_t) for view in (0, 1)]
        return (both[0] + both[1]) / 2

    def stepped(self, encoder: nn.Module) -> None:
        momentum = rising(self._options.momentum, self._done)
        self.f_t.follow(encoder, momentum)
        self.h_t.follow(self.h, momentum)
        _, taught = self._latest.take()
        self.c.lerp_(taught.mean(0), 1 - self._options.centre)


def distillation_cost(s: Tensor, t: Tensor, t_s: float, t_t: float) -> Tensor:
    """-sum_k softmax(t / t_t)_k log softmax(s / t_s)_k, the mean over rows (N, K)."""
    return -((t / t_t).softmax(1) * (s / t_s).log_softmax(1)).sum(1).mean()
