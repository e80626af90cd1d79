"""The loss of the labels: cross-entropy, its multilabel form, or squared error.

classification   -sum_c q_c log softmax(z)_c,  q = (1 - e) onehot(y) + e / C      (Szegedy et al., 2016, section 7)
multilabel       mean over classes of the binary cross-entropy
regression       (z - y)^2, y standardised by the training rows
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from headstart.data.task import Kind
from headstart.network import Network

__all__ = ["Supervised"]


@dataclass(frozen=True, kw_only=True)
class Supervised:
    """label_smoothing   e above"""

    label_smoothing: float = 0.0

    def each(self, logits: Tensor, targets: Tensor, kind: Kind) -> Tensor:
        """(N,) the loss of each row. targets (N,) codes, (N, C) 0 or 1, or (N,) values."""
        if kind == "classification":
            return functional.cross_entropy(logits, targets, reduction="none", label_smoothing=self.label_smoothing)
        if kind == "multilabel":
            return functional.binary_cross_entropy_with_logits(logits, targets.float(), reduction="none").mean(1)
        return (logits[:, 0] - targets.float()).square()

    def penalty(self, network: Network, source: dict[str, Tensor]) -> Tensor | None:
        """What the weights cost, once a step; None for nothing."""
        return None
