"""A confusion matrix whose classes are put in an order in which those that are confused stand beside each other.

The order is that of the Fiedler vector (Atkins et al., 1998, "A spectral algorithm for seriation"). With
W = A + A^T, the confusions in both directions, and L = diag(W 1) - W, the eigenvector of the second smallest eigenvalue
of L gives the order of least sum W_ij (x_i - x_j)^2 among all x of mean 0 and length 1. Classes that no chain of
confusions joins come one group behind the other, the largest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from headstart.drawing.svg import ACCENT, GRID, INK, PAPER, QUIET, element, picture, safe

__all__ = ["matrix", "order_of"]

Array = npt.NDArray[Any]
_LABEL, _CHAR, _LARGE = 20, 6.6, 22


def order_of(counts: Array) -> list[int]:
    """(C, C) counts of confusions -> the order of the classes."""
    weights = np.asarray(counts, np.float64) + np.asarray(counts, np.float64).T
    np.fill_diagonal(weights, 0)
    order: list[int] = []
    for group in sorted(_joined(weights > 0), key=lambda group: (-len(group), group[0])):
        order += _chain(weights, group)
    return order


def _joined(linked: Array) -> list[list[int]]:
    """The connected components, each ascending."""
    left, groups = set(range(len(linked))), []
    while left:
        reached, waiting = set(), [min(left)]
        while waiting:
            at = waiting.pop()
            if at not in reached:
                reached.add(at)
                waiting.extend(np.flatnonzero(linked[at]).tolist())
        groups.append(sorted(reached))
        left -= reached
    return groups


def _chain(weights: Array, group: list[int]) -> list[int]:
    if len(group) <= 2:
        return group
    inner = weights[np.ix_(group, group)]
    laplacian = np.diag(inner.sum(axis=1)) - inner
    vector = np.linalg.eigh(laplacian)[1][:, 1]
    if vector[np.argmax(np.abs(vector))] < 0:
        vector = -vector
    return [group[at] for at in np.argsort(np.round(vector, 9), kind="stable").tolist()]


def matrix(
    counts: Array, names: Sequence[str], title: str, description: str, axes: tuple[str, str], key: str = "confusion"
) -> str:
    """The (C, C) counts in this order: true classes are rows; right answers are grey, confusions in the accent colour,
    both as dark as their share of the row.

    axes   what the rows, and what the columns are
    """
    size = len(names)
    side = 26 if size <= 12 else _LARGE if size <= 24 else 15
    short = [name if len(name) <= _LABEL else name[: _LABEL - 1] + "…" for name in names]
    letters = [_width(axes[0]) + 3, _width(axes[1]), *map(_width, short)]
    left = 14 + _CHAR * max(letters)
    top, shares = left, counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-12)
    wide, high = left + size * side + 8, top + size * side + 8
    parts = [
        element("rect", x=left, y=top, width=size * side, height=size * side, style=f"fill:{PAPER};stroke:{GRID}"),
        *_lines(size, side, left, top),
    ]
    for row, column in np.argwhere(counts > 0).tolist():
        parts.append(_cell(counts, shares, row, column, (left, top, side), names))
    for number, name in enumerate(short):
        middle = number * side + side / 2 + 4
        parts.append(element("text", safe(name), x=left - 6, y=top + middle, text_anchor="end"))
        turned = f"translate({left + middle:.1f} {top - 6:.1f}) rotate(-90)"
        parts.append(element("text", safe(name), transform=turned))
    parts.append(element("text", safe(axes[0]), x=4, y=top - 6, style=f"fill:{QUIET}"))
    turned = f"translate({left - 8:.1f} {top - 6:.1f}) rotate(-90)"
    parts.append(element("text", safe(axes[1]), transform=turned, style=f"fill:{QUIET}"))
    return picture(title, description, parts, wide=wide, high=high, key=key)


def _width(name: str) -> float:
    """In letters of Latin width."""
    return sum(1.75 if ord(letter) > 0x2E7F else 1.0 for letter in name)


def _lines(size: int, side: int, left: float, top: float) -> list[str]:
    parts, end, style = [], size * side, f"stroke:{GRID};stroke-width:.5"
    for at in range(side, end, side):
        parts.append(element("line", x1=left, x2=left + end, y1=top + at, y2=top + at, style=style))
        parts.append(element("line", x1=left + at, x2=left + at, y1=top, y2=top + end, style=style))
    return parts


def _cell(
    counts: Array, shares: Array, row: int, column: int, at: tuple[float, float, int], names: Sequence[str]
) -> str:
    left, top, side = at
    share, value = float(shares[row, column]), float(counts[row, column])
    written = f"{value:.1f}".removesuffix(".0")
    x, y = left + column * side, top + row * side
    title = element("title", safe(f"{names[row]} → {names[column]}: {written}"))
    colour = QUIET if row == column else ACCENT
    shade = 0.12 + (0.5 if row == column else 0.88) * share
    box = element("rect", title, x=x, y=y, width=side, height=side, style=f"fill:{colour}", fill_opacity=shade)
    if side < _LARGE:
        return box
    dark = row != column and share > 0.5
    colour = PAPER if dark else INK
    text = written if value < 1000 else f"{value / 1000:.0f}k"
    return box + element(
        "text", text, x=x + side / 2, y=y + side / 2 + 4, text_anchor="middle", font_size=10, style=f"fill:{colour}"
    )
