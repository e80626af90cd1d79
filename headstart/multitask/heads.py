"""The heads of several tasks on one network, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from headstart.heads.module import HeadModule

__all__ = ["TaskHeads"]


class TaskHeads(nn.Module):
    """(N, D) features -> (N, O) logits: those of each head, one behind the other."""

    def __init__(self, heads: Sequence[HeadModule]) -> None:
        super().__init__()
        self.heads = nn.ModuleList(heads)

    def forward(self, features: Tensor) -> Tensor:
        return torch.cat([head(features) for head in self.heads], dim=1)

    def each(self) -> list[HeadModule]:
        """The heads, in the order of the tasks."""
        return [cast(HeadModule, head) for head in self.heads]

    def standardise(self, mean: Tensor, scale: float) -> None:
        """Let heads on a backbone that nobody has seen know the mean (D,) and the scale of its features."""
        for head in self.each():
            head.mean.copy_(mean)
            head.scale.fill_(scale)
