"""Choosing a strength: walk along a grid, downhill."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

__all__ = ["Scored", "walk"]


class Scored(Protocol):
    """Anything with a loss."""

    @property
    def loss(self) -> float: ...


S = TypeVar("S", bound=Scored)


def walk(visit: Callable[[int, S | None], S], count: int, start: int, *, gain: float = 0.0) -> tuple[int, dict[int, S]]:
    """Visit the points 0 .. count - 1 of a grid from `start`, first downwards, else upwards, while the loss falls.

    visit(i, near)   the fit at point i; `near` is the fit at its neighbour, to start from (None at `start`)
    gain             a step must lower the loss by this fraction of it; so a tie stays where it is

    Returns the best point and every fit made on the way. The loss along a path of L2 strengths has one valley but for
    noise, so a walk finds what the whole grid would, for the price of three to six of its points.
    """
    fits = {start: visit(start, None)}
    best = start
    for step in (-1, 1):
        while 0 <= best + step < count and best + step not in fits:
            fits[best + step] = visit(best + step, fits[best])
            if not fits[best + step].loss < fits[best].loss * (1 - gain):
                break
            best += step
        if best != start:
            break
    return best, fits
