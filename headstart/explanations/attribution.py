"""What a way of explaining gives: how much each part of one input counts; and an input as parts that can be missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from headstart.explanations.question import Question
from headstart.tasks.task import Array

__all__ = ["Attribution", "Case", "Way"]


class Attribution(NamedTuple):
    """values   (U,) how much each part counts, above 0 for the answer that is explained
    fine     (H, W) the same as finely as the way tells it, for pictures and sounds; else None
    base     the number that is explained where everything is missing; None where the way has none
    score    the number itself; None likewise. Where both are there, the values add up to their difference
    gap      by how much the values fail to add up, of a way that promises it; else None
    note     what to know of this way; "" where there is nothing
    """

    values: Array
    fine: Array | None = None
    base: float | None = None
    score: float | None = None
    gap: float | None = None
    note: str = ""


Way = Callable[[Question], Attribution]


class Case(Protocol):
    """One input of a model, in parts that can be missing.

    parts    what to call each of them
    shape    (rows, columns) of the parts where they lie in a grid; else None
    ways     those that there are for it, by name, the one taken by default first
    without  by name of a way, why it cannot be had
    notes    what to know of the input
    """

    parts: tuple[str, ...]
    shape: tuple[int, int] | None
    notes: tuple[str, ...]

    @property
    def ways(self) -> Mapping[str, Way]: ...

    @property
    def without(self) -> Mapping[str, str]: ...

    def ask(self, kept: Array) -> Array:
        """(M, U) bool, which parts are there -> (M, C) probabilities or (M,) values."""
