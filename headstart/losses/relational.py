"""Relational knowledge distillation (Park et al., 2019, equations 5 to 9): how rows lie to each other is learnt.

    min  labels L_y + distance mean_{i != j} l(d^T_ij, d^S_ij) + angle mean_{i, j, k} l(a^T_ijk, a^S_ijk)
    d_ij = ||x_i - x_j|| / mean over pairs,   a_ijk = cos of the angle at x_j between x_i and x_k,   l Huber's, delta 1

x are the features of student and teacher, whose widths need not be alike; pairs and triples are those of a batch, or
of the part of it that goes through at once. Where the paper sums, the mean is taken. Use it where both see the same
things and have little in common otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from headstart.losses.distilled import Distilled
from headstart.losses.penalty import Context, Norms, Pass
from headstart.losses.supervised import Knowledge

__all__ = ["Relational", "angles", "distances"]

_LEAST = 1e-12


@dataclass(frozen=True, kw_only=True)
class Relational(Distilled):
    """distance, angle   how much either term counts: the authors' own proportion is 1 to 2"""

    distance: float = 5.0
    angle: float = 10.0
    learns_from: ClassVar[Knowledge] = "features"
    amounts: ClassVar[tuple[str, ...]] = ("l1", "l2", "labels", "distance", "angle")

    def start(self, context: Context) -> Relations:
        """Beside the teacher's features nothing is kept."""
        return Relations(context, self)


class Relations(Norms):
    """The second and third term above."""

    def __init__(self, context: Context, loss: Relational) -> None:
        super().__init__(context.network, l1=loss.l1, l2=loss.l2)
        if context.teacher_features is None:
            raise ValueError("Relational learns from the teacher's features: give Data(teacher_features=...)")
        self._loss, self._features = loss, context.teacher_features.float()

    def batch(self, forward_pass: Pass) -> Tensor | None:
        """Of all pairs and triples of rows; None for fewer than two rows."""
        if forward_pass.rows is None:
            raise ValueError("a teacher's features go by the numbers of rows, and this pass has none")
        if len(forward_pass.rows) < 2:
            return None
        loss, t = self._loss, self._features[forward_pass.rows.cpu()].to(forward_pass.features.device)
        with torch.autocast(forward_pass.features.device.type, enabled=False):
            s = forward_pass.features.float()
            cost = loss.distance * functional.smooth_l1_loss(distances(s), distances(t))
            if len(s) > 2:
                cost = cost + loss.angle * functional.smooth_l1_loss(angles(s), angles(t))
        return cost


def distances(x: Tensor) -> Tensor:
    """(n (n - 1),) d above, of (n, D)."""
    apart = ~torch.eye(len(x), dtype=torch.bool, device=x.device)
    squared = (x[:, None] - x[None]).square().sum(2)[apart]
    d = squared.clamp_min(_LEAST).sqrt()
    return d / d.mean()


def angles(x: Tensor) -> Tensor:
    """(n (n - 1) (n - 2),) a above, of (n, D), triples of three different rows."""
    e = functional.normalize(x[:, None] - x[None], dim=2, eps=_LEAST**0.5)  # e[j, i] points from i to j
    cosines = torch.einsum("ijd,kjd->jik", e, e)
    n = torch.arange(len(x), device=x.device)
    j, i, k = n[:, None, None], n[None, :, None], n[None, None, :]
    return cosines[(i != j) & (k != j) & (i != k)]
