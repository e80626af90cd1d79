"""Uncertainty weighting (Kendall, Gal and Cipolla, 2018, equations 7 and 10): the noise of each task is learnt.

    min  sum_t  exp(-s_t) / 2 L_t + s_t / 2  of numbers,  exp(-s_t) L_t + s_t / 2  of classes,      s_t = log sigma_t^2

At the best s_t a task counts by the inverse of its loss: what is noisy counts less. It does not look at whether tasks
pull against each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from headstart.losses.penalty import Context, Helper
from headstart.multitask.weighing import ByLosses, Weighing

__all__ = ["Uncertainty", "uncertain"]


@dataclass(frozen=True, kw_only=True)
class Uncertainty(Weighing):
    """rate   of s, in units of the run's learning rate"""

    rate: float = 100.0

    def start(self, context: Context) -> ByLosses:
        """s begins at 0: all tasks count as they are."""
        numbers = torch.tensor([not part.kind.has_classes for part in context.kind.parts])
        learnt = nn.ParameterList([nn.Parameter(torch.zeros(len(numbers)))])

        def total(losses: Tensor, share: float) -> Tensor:
            return uncertain(losses, learnt[0].to(losses.device), numbers.to(losses.device), share)

        return ByLosses(context, self, total, Helper(learnt, self.rate))


def uncertain(losses: Tensor, s: Tensor, numbers: Tensor, share: float = 1.0) -> Tensor:
    """The sum above of (T,) losses; `numbers` (T,) bool: which are of numbers. share: of a batch, to add up s once."""
    scale = torch.where(numbers, 0.5, 1.0)
    return (scale * torch.exp(-s) * losses + share * s / 2).sum()
