"""Dots with intervals, a row each (Cleveland, 1984): the strips are as wide as their cells, so that the text beside
them keeps its size on a phone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from headstart.drawing.scale import ticks
from headstart.drawing.svg import ACCENT, GRID, QUIET, element

__all__ = ["Axis", "axis_of", "foot", "strip"]

_HIGH, _FOOT, _ROOM, _MOST = 26, 20, 0.06, 5


class Axis(NamedTuple):
    """From `low` to `high`, with round numbers between."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """Per cent of the width, from 0 to 100."""
        share = (value - self.low) / ((self.high - self.low) or 1)
        return 100 * min(1.0, max(0.0, share))


def axis_of(values: Sequence[float]) -> Axis:
    """For all of these values, with some room on both sides; those that are not finite are left aside.

    One value far below the others (R2 of a bad model may be -40) is cut: the axis begins where three times the reach of
    the upper half ends.
    """
    finite = sorted(value for value in values if math.isfinite(value))
    if not finite:
        return Axis(0.0, 1.0, (0.0, 0.5, 1.0))
    low, high, middle = finite[0], finite[-1], finite[len(finite) // 2]
    low = max(low, middle - 3 * max(high - middle, 0.25))
    room = _ROOM * ((high - low) or 1.0)
    low, high = low - room, high + room
    return Axis(low, high, tuple(ticks(low, high, _MOST)))


def strip(axis: Axis, value: float, low: float, high: float, *, ours: bool) -> str:
    """One row: the interval as a line, the value as a dot; `ours` in the accent colour. It says nothing to who reads by
    ear, since the numbers stand beside it."""
    middle = _HIGH / 2
    parts = [
        element("line", x1=f"{axis.place(tick):.2f}%", x2=f"{axis.place(tick):.2f}%", y1=0, y2=_HIGH, style=_line(GRID))
        for tick in axis.ticks
    ]
    colour = ACCENT if ours else QUIET
    if math.isfinite(low) and math.isfinite(high):
        ends = {"x1": f"{axis.place(low):.2f}%", "x2": f"{axis.place(high):.2f}%"}
        parts.append(element("line", **ends, y1=middle, y2=middle, style=_line(colour, 3 if ours else 2)))
    if math.isfinite(value):
        radius = 5.5 if ours else 4.5
        parts.append(element("circle", cx=f"{axis.place(value):.2f}%", cy=middle, r=radius, style=f"fill:{colour}"))
    return element("svg", "".join(parts), width="100%", height=_HIGH, aria_hidden="true", focusable="false")


def foot(axis: Axis, labels: Sequence[str]) -> str:
    """The numbers of the axis, as they are written, under the strips."""
    parts = [
        element(
            "text",
            label,
            x=f"{axis.place(tick):.2f}%",
            y=14,
            text_anchor="start" if axis.place(tick) < 4 else "end" if axis.place(tick) > 96 else "middle",
            style=f"fill:{QUIET}",
        )
        for tick, label in zip(axis.ticks, labels, strict=True)
    ]
    return element(
        "svg", "".join(parts), width="100%", height=_FOOT, font_size=11, aria_hidden="true", focusable="false"
    )


def _line(colour: str, width: float = 1) -> str:
    return f"stroke:{colour};stroke-width:{width:g}"
