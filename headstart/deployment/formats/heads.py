"""A fitted head as a module whose graph other programs can hold, and what makes answers of its logits."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from headstart.heads.arrays import CONTEXT, EMBEDS, UTILITY
from headstart.heads.head import Head
from headstart.heads.module import HeadModule
from headstart.table_prior.reader import ContextReader

__all__ = ["Answer", "exportable_head"]


def exportable_head(head: Head) -> nn.Module:
    """(N, D) features -> (N, C) logits over the temperature, float64."""
    tensors = {name: torch.from_numpy(array.copy()) for name, array in head.arrays.items() if name != UTILITY}
    module = HeadModule.stored(tensors, head.form, head.temperature)
    if CONTEXT[0] not in tensors:
        return module
    return _InContext(module, ContextReader(*(tensors[name] for name in CONTEXT), embeds=EMBEDS in tensors))


class _InContext(nn.Module):
    """A head that stands on what a network answers in context, which is read here once."""

    def __init__(self, head: HeadModule, reader: ContextReader) -> None:
        super().__init__()
        self.head, self.reader = head, reader

    def forward(self, features: Tensor) -> Tensor:
        return self.head.above(self.reader(self.head.standardised(features)))


class Answer(nn.Module):
    """Predictions (N, C) or (N,) float64 -> what is told: (probabilities, decision), or (values,).

    decision   (N,) int64 the place of the class; multilabel: (N, C) of 0 and 1
    """

    utility: Tensor | None

    def __init__(self, head: Head) -> None:
        super().__init__()
        self.kind = head.kind
        utility = head.arrays.get(UTILITY)
        self.register_buffer("utility", None if utility is None else torch.from_numpy(utility.copy()).double())
        self.outputs = ("probabilities", "decision") if head.kind.has_classes else ("values",)

    def predictions(self, logits: Tensor) -> Tensor:
        """As `tasks.kind` makes them of logits over the temperature."""
        if not self.kind.has_classes:
            return logits[:, 0]
        return logits.softmax(1) if self.kind.exclusive else logits.sigmoid()

    def forward(self, predictions: Tensor) -> tuple[Tensor, ...]:
        if not self.kind.has_classes:
            return (predictions,)
        if not self.kind.exclusive:
            return predictions.float(), (predictions >= 0.5).long()
        return predictions.float(), self._expected(predictions).argmax(1)

    def _expected(self, predictions: Tensor) -> Tensor:
        """As `heads.decision.decide`."""
        if self.utility is None:
            return predictions
        return predictions * self.utility if self.utility.ndim == 1 else predictions @ self.utility
