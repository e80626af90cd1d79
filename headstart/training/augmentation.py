"""What is drawn for a row: from the seed, the epoch and the row alone, so that a killed run draws the same again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

__all__ = ["Anew", "Draw", "View", "Views"]


class Draw(Protocol):
    """generator   the random numbers that vary this row"""

    def generator(self, row: int) -> np.random.Generator: ...


@dataclass(frozen=True)
class Anew:
    """Each row in a new form in each epoch."""

    seed: int
    stage: int
    epoch: int

    def generator(self, row: int) -> np.random.Generator:
        """See `Draw`."""
        return np.random.default_rng([self.seed, self.stage, self.epoch, int(row)])


@dataclass(frozen=True)
class View:
    """Each row in the form of this number."""

    seed: int
    number: int

    def generator(self, row: int) -> np.random.Generator:
        """See `Draw`."""
        return np.random.default_rng([self.seed, self.number, int(row)])


@dataclass(frozen=True)
class Views:
    """Each row in one of `count` forms, drawn in each epoch."""

    seed: int
    stage: int
    epoch: int
    count: int

    def number(self, row: int) -> int:
        """Which form."""
        return int(np.random.default_rng([self.seed, self.stage, self.epoch, int(row), 1]).integers(self.count))

    def generator(self, row: int) -> np.random.Generator:
        """See `Draw`."""
        return View(self.seed, self.number(row)).generator(row)
