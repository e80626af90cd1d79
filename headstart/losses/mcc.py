"""Minimum class confusion (Jin et al., 2020, equations 2 to 6): on target rows, no two classes at once.

    Y = softmax(z_t / T),   W_ii = n (1 + exp(-H(Y_i))) / sum_j (1 + exp(-H(Y_j))),   C = Y' W Y
    min  L_y + weight / |C| sum_j sum_{k != j} C_jk / sum_l C_jl

It does not compare domains: it asks for answers that are sure and apart. Use it alone or where alignment mixes
classes up; with far more classes than rows a batch it sees little. For classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from headstart.checks import positive
from headstart.losses.cdan import certainty
from headstart.losses.domains import Between
from headstart.losses.penalty import Context
from headstart.losses.supervised import Needs, Supervised
from headstart.tasks import CLASSIFICATION
from headstart.tasks.task import Kind

__all__ = ["MCC", "confusion"]


@dataclass(frozen=True, kw_only=True)
class MCC(Supervised):
    """weight       of the confusion
    temperature  T above
    """

    weight: float = 1.0
    temperature: float = 2.5
    needs: ClassVar[Needs] = "target"
    kinds: ClassVar[tuple[Kind, ...]] = (CLASSIFICATION,)
    amounts: ClassVar[tuple[str, ...]] = ("l1", "l2", "weight")

    def __post_init__(self) -> None:
        super().__post_init__()
        positive("temperature", self.temperature)

    def start(self, context: Context) -> Between:
        """Nothing is kept between batches."""
        return Between(
            context.network, self, self.weight, lambda both: confusion(both.logits[both.target], self.temperature)
        )


def confusion(logits: Tensor, temperature: float) -> Tensor:
    """The mean confusion of a class with the others, of (n, C) logits."""
    Y = (logits / temperature).softmax(1)
    W = certainty(Y.detach())
    W = W / W.mean()
    C = Y.T @ (W[:, None] * Y)
    C = C / C.sum(1, keepdim=True).clamp_min(torch.finfo(C.dtype).tiny)
    mean_confusion: Tensor = (C.sum() - C.trace()) / len(C)
    return mean_confusion
