"""Fixed weights (Caruana, 1997, with one weight a task): the losses are added.

    min  sum_t w_t L_t

L_t is the mean over the rows of a batch whose answer is known; numbers are standardised, so that a loss of 1 is that of
the mean answer. Without weights each counts once: the sum to which all others are compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from headstart.losses.penalty import Context
from headstart.multitask.weighing import ByLosses, Weighing

__all__ = ["Weighted", "weighted"]


@dataclass(frozen=True, kw_only=True)
class Weighted(Weighing):
    """weights   w above, one a target with colons between them, such as 2:1; "" for 1 each"""

    weights: str = ""

    def start(self, context: Context) -> ByLosses:
        """ValueError for weights that are no numbers from 0 up, or not one a target."""
        w = self._parsed(len(context.kind.parts))
        return ByLosses(context, self, lambda losses, share: weighted(losses, w.to(losses)))

    def _parsed(self, tasks: int) -> Tensor:
        parts = self.weights.split(":") if self.weights else ["1"] * tasks
        try:
            w = torch.tensor([float(part) for part in parts])
        except ValueError:
            w = torch.tensor([-1.0])
        if len(w) != tasks or not bool((w >= 0).all() and w.isfinite().all() and w.any()):
            raise ValueError(
                f"weights = {self.weights!r}: expected {tasks} numbers from 0 up, such as {'1:' * tasks}"[:-1]
            )
        return w


def weighted(losses: Tensor, w: Tensor) -> Tensor:
    """sum_t w_t L_t."""
    return (w * losses).sum()
