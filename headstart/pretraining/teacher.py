"""A teacher that follows its student: theta' <- m theta' + (1 - m) theta after each step, and no gradient reaches it.

m rises from where it begins to 1 by half a cosine over the training (Grill et al., 2020, section 3.2), or stays.
"""

from __future__ import annotations

import math
from copy import deepcopy

import torch
from torch import Tensor, nn

__all__ = ["Latest", "Teacher", "rising"]


class Teacher(nn.Module):
    """Begins as a copy of its student. What BatchNorm goes by is its own, of the same batches."""

    def __init__(self, student: nn.Module) -> None:
        super().__init__()
        self.module = deepcopy(student).requires_grad_(False)

    def answer(self, student: nn.Module, *inputs: Tensor) -> Tensor:
        """To inputs, in the mode in which the student is."""
        for module, other in zip(self.module.modules(), student.modules(), strict=True):
            module.training = other.training
        with torch.no_grad():
            answers: Tensor = self.module(*inputs)
        return answers

    @torch.no_grad()
    def follow(self, student: nn.Module, momentum: float) -> None:
        """A step behind the student, whose weights have moved."""
        for parameter, other in zip(self.module.parameters(), student.parameters(), strict=True):
            parameter.lerp_(other.detach(), 1 - momentum)


class Latest:
    """What was made of each row in this step, in whatever parts it went through, until the step is done."""

    def __init__(self) -> None:
        self._of: dict[int, Tensor] = {}

    def put(self, rows: Tensor, values: Tensor) -> None:
        """values (N, ...) of the rows (N,) of these numbers."""
        self._of |= dict(zip(rows.tolist(), values.detach(), strict=True))

    def take(self) -> tuple[Tensor, Tensor]:
        """The numbers of all rows of the step, ascending, and what was made of them; nothing is held afterwards."""
        rows = sorted(self._of)
        values = torch.stack([self._of[row] for row in rows])
        self._of = {}
        return torch.tensor(rows), values


def rising(momentum: float, done: float) -> float:
    """1 - (1 - m) (cos(pi p) + 1) / 2 at p = `done` of the training."""
    return 1 - (1 - momentum) * (math.cos(math.pi * done) + 1) / 2
