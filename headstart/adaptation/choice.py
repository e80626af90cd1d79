"""The outcome of a choice among ways to adapt: which one, on which base, and why."""

from __future__ import annotations

from typing import NamedTuple

from headstart.adaptation.learn import Base
from headstart.adaptation.strategies import STRATEGIES
from headstart.adaptation.strategy import Strategy

__all__ = ["ChosenStrategy", "strategy_of"]


class ChosenStrategy(NamedTuple):
    """A way by its name, the base it goes on, and why it was taken in words ("" where it was asked for)."""

    name: str
    strategy: Strategy
    base: Base = "linear"
    why: str = ""

    @property
    def words(self) -> str:
        """The way, and its base where there is a choice of it."""
        return self.name if self.base == "linear" else f"{self.name} ({self.base})"


def strategy_of(name: str) -> Strategy:
    """The way of a row of the table."""
    return STRATEGIES[name].strategy
