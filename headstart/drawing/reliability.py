"""A reliability diagram: how often answers that were given with some confidence were right."""

from __future__ import annotations

import math
from collections.abc import Sequence

from headstart.drawing.svg import ACCENT, GRID, INK, QUIET, element, picture, safe

__all__ = ["reliability_diagram"]

_SIDE, _LEFT, _TOP, _FOOT = 270, 44, 12, 46


def reliability_diagram(
    sure: Sequence[float],
    right: Sequence[float],
    rows: Sequence[float],
    title: str,
    description: str,
    axes: tuple[str, str],
    key: str = "reliability",
) -> str:
    """Of each bin the mean confidence, the share that was right, and the number of rows, which is the dot's area.

    axes   what is along, and what is up
    """
    wide, high = _LEFT + _SIDE + 16, _TOP + _SIDE + _FOOT

    def x(value: float) -> float:
        return _LEFT + _SIDE * value

    def y(value: float) -> float:
        return _TOP + _SIDE * (1 - value)

    parts = []
    for tick in (0, 0.25, 0.5, 0.75, 1):
        label = f"{tick:.2f}".rstrip("0").rstrip(".").replace("0.", ".")
        grid = f"stroke:{GRID}"
        parts.append(element("line", x1=x(0), x2=x(1), y1=y(tick), y2=y(tick), style=grid))
        parts.append(element("line", x1=x(tick), x2=x(tick), y1=y(0), y2=y(1), style=grid))
        parts.append(element("text", label, x=x(0) - 8, y=y(tick) + 4, text_anchor="end", style=f"fill:{QUIET}"))
        parts.append(element("text", label, x=x(tick), y=y(0) + 18, text_anchor="middle", style=f"fill:{QUIET}"))
    diagonal = f"stroke:{QUIET};stroke-dasharray:4 4"
    parts.append(element("line", x1=x(0), x2=x(1), y1=y(0), y2=y(1), style=diagonal))
    most = max(rows, default=1) or 1
    for confidence, share, count in zip(sure, right, rows, strict=True):
        radius = 2.5 + 8 * math.sqrt(count / most)
        gap = f"stroke:{ACCENT};stroke-width:1.5"
        parts.append(
            element("line", x1=x(confidence), x2=x(confidence), y1=y(share), y2=y(confidence), style=gap)
            + element("circle", cx=x(confidence), cy=y(share), r=radius, style=f"fill:{ACCENT}", fill_opacity=0.8)
        )
    parts.append(element("text", safe(axes[0]), x=x(0.5), y=y(0) + 38, text_anchor="middle", style=f"fill:{INK}"))
    turned = f"translate(12 {y(0.5):.0f}) rotate(-90)"
    parts.append(element("text", safe(axes[1]), transform=turned, text_anchor="middle", style=f"fill:{INK}"))
    return picture(title, description, parts, wide=wide, high=high, key=key)
