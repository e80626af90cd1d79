"""Dynamic weight average (Liu, Johns and Davison, 2019, equation 7): what gets better more slowly counts more.

    lambda_t(e) = T exp(r_t(e-1) / tau) / sum_i exp(r_i(e-1) / tau),      r_t(e-1) = L_t(e-1) / L_t(e-2)

L_t(e) is the mean loss of epoch e; in the first two epochs r = 1. It costs nothing, and changes little where epochs are
few.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from headstart.checks import positive
from headstart.losses.penalty import Context, Helper
from headstart.multitask.weighing import ByLosses, Weighing, memory

__all__ = ["DWA", "dynamic"]


@dataclass(frozen=True, kw_only=True)
class DWA(Weighing):
    """temperature   tau above: the larger, the more alike"""

    temperature: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        positive("temperature", self.temperature)

    def start(self, context: Context) -> ByLosses:
        """With no epoch behind it."""
        tasks = len(context.kind.parts)
        past = memory(
            losses=torch.zeros(2, tasks), sum=torch.zeros(tasks), rows=torch.zeros(tasks), epochs=torch.zeros(())
        )

        def total(losses: Tensor, share: float) -> Tensor:
            answered = losses.detach().cpu() != 0
            past.get_buffer("sum").add_(losses.detach().cpu())
            past.get_buffer("rows").add_(share * answered)
            return (self._weights(past.get_buffer("losses"), int(past.get_buffer("epochs"))).to(losses) * losses).sum()

        def epoch(number: int) -> None:
            mean = past.get_buffer("sum") / past.get_buffer("rows").clamp_min(1)
            past.get_buffer("losses").copy_(torch.stack([mean, past.get_buffer("losses")[0]]))
            past.get_buffer("sum").zero_()
            past.get_buffer("rows").zero_()
            past.get_buffer("epochs").add_(1)

        return ByLosses(context, self, total, Helper(past, 0.0, epoch=epoch))

    def _weights(self, losses: Tensor, epochs: int) -> Tensor:
        return dynamic(losses[0], losses[1], self.temperature) if epochs > 1 else torch.ones(losses.shape[1])


def dynamic(last: Tensor, before: Tensor, temperature: float) -> Tensor:
    """lambda (T,) from the losses of the last epoch and of the one before."""
    r = last / before.clamp_min(torch.finfo(before.dtype).tiny)
    return len(r) * torch.softmax(r / temperature, dim=0)
