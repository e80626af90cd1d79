"""What losses that learn from a teacher have in common: the labels' own loss, and the answers of the teacher by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from headstart.checks import positive
from headstart.losses.penalty import Context, Pass
from headstart.losses.supervised import Needs, Supervised
from headstart.tasks.task import Kind

__all__ = ["Answered", "Distilled", "TeacherAnswers"]


@dataclass(frozen=True, kw_only=True)
class Distilled(Supervised):
    """labels      weight of the labels' own loss
    consistent  the teacher is asked of each of the `views` forms in which a row is shown (Beyer et al., 2022), once,
                and not of the plain row alone. For pictures
    """

    labels: float = 1.0
    consistent: bool = False
    needs: ClassVar[Needs] = "teacher"
    amounts: ClassVar[tuple[str, ...]] = ("l1", "l2", "labels")

    def __post_init__(self) -> None:
        super().__post_init__()
        if hasattr(self, "temperature"):
            positive("temperature", self.temperature)

    def each(self, logits: Tensor, targets: Tensor, kind: Kind) -> Tensor:
        """As `Supervised.each`, times `labels`."""
        return self.labels * super().each(logits, targets, kind)


class Answered(NamedTuple):
    """Rows of a pass of which the teacher has something to say, and the K classes that it knows.

    z, t   (n, K) logits of the student and of the teacher; (n, 1) values
    share  of the rows of the pass
    rows   (N,) bool: which those are
    """

    z: Tensor
    t: Tensor
    share: float
    rows: Tensor

    def mean(self, costs: Tensor) -> Tensor:
        """Of the costs (n,) of these rows over all rows of the pass, of which the others cost nothing."""
        return costs.mean() * self.share if len(costs) else self.z.sum()


class TeacherAnswers:
    """The answers of a teacher to all rows of a training.

    columns   (K,) the classes that it knows, by their codes
    """

    def __init__(self, context: Context) -> None:
        if context.teacher is None:
            raise ValueError("a loss that learns from a teacher needs its answers: give Data(teacher=...)")
        finite = context.teacher.isfinite()
        self.columns = torch.where(finite.any(0))[0]
        self._known = finite.any(1)
        self._logits = context.teacher[:, self.columns].float()

    def of(self, forward_pass: Pass) -> Answered:
        """Those to the rows of a pass, beside the student's, in float32."""
        if forward_pass.rows is None:
            raise ValueError("a teacher's answers go by the numbers of rows, and this pass has none")
        numbers = forward_pass.rows.cpu()
        answered = self._known[numbers]
        device = forward_pass.logits.device
        t = self._logits[numbers[answered]].to(device)
        answered = answered.to(device)
        z = forward_pass.logits.float()[answered][:, self.columns.to(device)]
        return Answered(z, t, len(z) / len(forward_pass.logits), answered)
