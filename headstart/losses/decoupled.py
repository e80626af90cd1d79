"""Decoupled knowledge distillation (Zhao et al., 2022, equation 7): the target class apart from all others.

    min  labels L_y + weight T^2 mean_i (alpha TCKD_i + beta NCKD_i)
    TCKD = KL(b^T || b^S),   b = (p_y, 1 - p_y),   p = softmax(logits / T)
    NCKD = KL(r^T || r^S),   r = softmax of the logits of all classes but y, over T

y is the row's label, or where it has none the teacher's own answer. KL(p^T || p^S) = TCKD + (1 - p_y^T) NCKD: where
the teacher is sure, what it knows of the other classes hardly counts there; here it counts by beta. For classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from headstart.losses.distilled import Answered, Distilled, TeacherAnswers
from headstart.losses.penalty import Context, Norms, Pass
from headstart.tasks import CLASSIFICATION
from headstart.tasks.task import Kind

__all__ = ["Decoupled", "decoupled"]


@dataclass(frozen=True, kw_only=True)
class Decoupled(Distilled):
    """weight       of both terms
    alpha, beta  above; the authors take beta from 1 to 8, larger where the teacher is surer
    temperature  T above
    """

    weight: float = 1.0
    alpha: float = 1.0
    beta: float = 2.0
    temperature: float = 2.0
    kinds: ClassVar[tuple[Kind, ...]] = (CLASSIFICATION,)
    amounts: ClassVar[tuple[str, ...]] = ("l1", "l2", "labels", "weight", "alpha", "beta")

    def start(self, context: Context) -> Apart:
        """Beside the teacher's answers nothing is kept."""
        return Apart(context, self)


class Apart(Norms):
    """The second term above."""

    def __init__(self, context: Context, loss: Decoupled) -> None:
        super().__init__(context.network, l1=loss.l1, l2=loss.l2)
        self._loss, self._answers = loss, TeacherAnswers(context)

    def batch(self, forward_pass: Pass) -> Tensor | None:
        """Of the rows of which the teacher says something."""
        answered = self._answers.of(forward_pass)
        loss = self._loss
        y = self._targets(forward_pass, answered)
        costs = decoupled(answered.z, answered.t, y, loss.temperature, loss.alpha, loss.beta)
        return loss.weight * answered.mean(costs)

    def _targets(self, forward_pass: Pass, answered: Answered) -> Tensor:
        """(n,) y above, as positions among the classes that the teacher knows."""
        teacher_classes = answered.t.argmax(1)
        if forward_pass.targets is None or forward_pass.weights is None:
            return teacher_classes
        columns = self._answers.columns.to(teacher_classes.device)
        targets, labelled = forward_pass.targets[answered.rows], forward_pass.weights[answered.rows] > 0
        matches = targets[:, None] == columns
        return torch.where(labelled & matches.any(1), matches.int().argmax(1), teacher_classes)


def decoupled(z: Tensor, t: Tensor, y: Tensor, temperature: float, alpha: float, beta: float) -> Tensor:
    """(n,) T^2 (alpha TCKD + beta NCKD) of each row of (n, K) logits, K at least 2, and targets y (n,)."""
    z, t = z / temperature, t / temperature
    others = torch.ones_like(z, dtype=torch.bool).scatter(1, y[:, None], False)
    shape = (len(z), z.shape[1] - 1)
    rest_z, rest_t = z[others].view(shape), t[others].view(shape)
    tckd = _kl(_binary(t, rest_t, y), _binary(z, rest_z, y))
    nckd = _kl(rest_t.log_softmax(1), rest_z.log_softmax(1))
    return temperature**2 * (alpha * tckd + beta * nckd)


def _binary(logits: Tensor, rest: Tensor, y: Tensor) -> Tensor:
    """(n, 2) log (p_y, 1 - p_y)."""
    total = logits.logsumexp(1)
    return torch.stack([logits.gather(1, y[:, None])[:, 0] - total, rest.logsumexp(1) - total], 1)


def _kl(log_p: Tensor, log_q: Tensor) -> Tensor:
    return functional.kl_div(log_q, log_p, reduction="none", log_target=True).sum(1)
