"""The loss of the labels, which is the kind's own; and the classical regularisers.

loss + l1 sum |theta| + l2 / 2 sum theta^2          over the matrices theta that learn
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from headstart.checks import at_least, share_below_one
from headstart.losses.penalty import Context, Norms, Penalty
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION
from headstart.tasks.task import Kind

__all__ = ["Knowledge", "Needs", "Supervised"]

Needs = Literal["nothing", "source", "maps", "target", "teacher", "views", "tasks"]
Knowledge = Literal["answers", "features", "maps"]
"""Of a teacher: what it says, what its backbone makes of the inputs, and where its stages look (Gou et al., 2021)."""


@dataclass(frozen=True, kw_only=True)
class Supervised:
    """label_smoothing   e above
    l1, l2            see above; unlike weight_decay they are part of the loss, so that the optimiser scales them

    needs   what the loss compares with: nothing, the weights that the backbone came with, what its stages made of the
            inputs, rows of a target task, the answers of a teacher, other views of the same rows, or the losses of
            several tasks
    learns_from   what of a teacher it compares with, where it needs one
    kinds   the tasks that it is for
    amounts the options that may not be negative
    """

    label_smoothing: float = 0.0
    l1: float = 0.0
    l2: float = 0.0
    needs: ClassVar[Needs] = "nothing"
    learns_from: ClassVar[Knowledge] = "answers"
    kinds: ClassVar[tuple[Kind, ...]] = (CLASSIFICATION, REGRESSION, MULTILABEL)
    amounts: ClassVar[tuple[str, ...]] = ("l1", "l2")

    def __post_init__(self) -> None:
        share_below_one("label_smoothing", self.label_smoothing)
        for name in self.amounts:
            at_least(name, getattr(self, name), 0)

    def suits(self, kind: Kind, *, mixup: float) -> None:
        """Raises ValueError where the loss is not for such a task, or not for rows that are mixed."""
        if kind not in self.kinds:
            raise ValueError(f"{type(self).__name__} is for {' and '.join(self.kinds)}, and this task is a {kind}")
        if mixup and self.needs == "target":
            raise ValueError(
                f"mixup = {mixup}: {type(self).__name__} compares rows of two tasks, and mixed rows are of both; "
                "leave it at 0"
            )
        if mixup and self.needs == "teacher":
            raise ValueError(
                f"mixup = {mixup}: {type(self).__name__} learns from a teacher, which was not asked of mixed rows; "
                "leave it at 0"
            )

    def each(self, logits: Tensor, targets: Tensor, kind: Kind) -> Tensor:
        """(N,) the loss of each row. targets (N,) codes, (N, C) 0 or 1, or (N,) values."""
        return kind.row_losses(logits.float(), targets, label_smoothing=self.label_smoothing)

    def start(self, context: Context) -> Penalty:
        """What else is minimised, in a training that begins with this context."""
        return Norms(context.network, l1=self.l1, l2=self.l2)
