"""Soft targets (Hinton et al., 2015, sections 2 and 2.1): the teacher's answers are learnt at a temperature.

    min  labels L_y + weight T^2 mean_i KL(p_i || q_i),   p = softmax(t / T),  q = softmax(z / T)

t are the teacher's logits, z the student's. The gradient of the soft term shrinks as 1 / T^2, which the factor takes
back. Of labels that a row may have several of, each is a p of its own, p = sigmoid(t / T), and their mean is taken; of
values, which have no temperature, the term is (z - t)^2 in units of their spread. Classes that the teacher does not
know are left out of both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from headstart.losses.distilled import Distilled, TeacherAnswers
from headstart.losses.penalty import Context, Norms, Pass
from headstart.tasks.task import Kind

__all__ = ["SoftTargets", "divergence"]


@dataclass(frozen=True, kw_only=True)
class SoftTargets(Distilled):
    """weight       of the teacher's answers
    temperature  T above
    """

    weight: float = 1.0
    temperature: float = 2.0
    amounts: ClassVar[tuple[str, ...]] = ("l1", "l2", "labels", "weight")

    def start(self, context: Context) -> Softened:
        """Beside the teacher's answers nothing is kept."""
        return Softened(context, self)


class Softened(Norms):
    """The second term above."""

    def __init__(self, context: Context, loss: SoftTargets) -> None:
        super().__init__(context.network, l1=loss.l1, l2=loss.l2)
        self._loss, self._answers = loss, TeacherAnswers(context)

    def batch(self, forward_pass: Pass) -> Tensor | None:
        """Of the rows of which the teacher says something."""
        answered = self._answers.of(forward_pass)
        costs = divergence(answered.z, answered.t, forward_pass.kind, self._loss.temperature)
        return self._loss.weight * answered.mean(costs)


def divergence(z: Tensor, t: Tensor, kind: Kind, temperature: float) -> Tensor:
    """(n,) T^2 KL(p || q) of each row; of a regression (z - t)^2."""
    T = temperature
    if kind.exclusive:
        each = functional.kl_div((z / T).log_softmax(1), (t / T).log_softmax(1), reduction="none", log_target=True)
        return T**2 * each.sum(1)
    if kind.has_classes:
        p = (t / T).sigmoid()
        entropy = torch.special.entr(p) + torch.special.entr(1 - p)
        crossed: Tensor = functional.binary_cross_entropy_with_logits(z / T, p, reduction="none")
        apart: Tensor = T**2 * (crossed - entropy).mean(1)
        return apart
    squared: Tensor = (z - t).square().sum(1)
    return squared
