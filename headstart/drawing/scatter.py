"""Points on a plane, coloured by label, those that were answered wrongly marked.

The colours are those of Okabe and Ito (2008), which people who see few colours tell apart; labels beyond them are grey.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from headstart.drawing.svg import GRID, INK, PAPER, element, picture

__all__ = ["COLOURS", "OTHER", "STEPS", "scatter"]

COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8b7bd8")
STEPS = ("#3d4f9f", "#2a7f9e", "#2aa98a", "#8fbf3f", "#e0b52c")
"""For numbers, from the least to the greatest: lightness rises too (as in viridis, Smith and van der Walt, 2015)."""
OTHER = "#9a9ea6"
_WIDE, _HIGH, _ROOM, _SIDE = 640, 440, 14, 1000
_LEARNT, _RIGHT, _WRONG = 0, 1, 2


def scatter(
    x: Sequence[int],
    y: Sequence[int],
    colour: Sequence[int],
    state: Sequence[int],
    title: str,
    description: str,
    colours: Sequence[str] = COLOURS,
    key: str = "map",
) -> str:
    """Points from 0 to 1000 along and up.

    colour   of each the place in `colours`; -1: grey
    state    0: to learn from, pale; 1: tested and right, full; 2: tested and wrong, full with a cross
    """
    along, up = (_WIDE - 2 * _ROOM) / _SIDE, (_HIGH - 2 * _ROOM) / _SIDE
    places = [(_ROOM + along * a, _HIGH - _ROOM - up * b) for a, b in zip(x, y, strict=True)]
    parts = [element("rect", x=0.5, y=0.5, width=_WIDE - 1, height=_HIGH - 1, style=f"fill:{PAPER};stroke:{GRID}")]
    for number in (-1, *range(len(colours))):
        ink = OTHER if number < 0 else colours[number]
        coloured = [at for at, code in enumerate(colour) if code == number]
        parts += _dots(places, [at for at in coloured if state[at] == _LEARNT], f"stroke:{ink};stroke-width:6", 0.45)
        parts += _dots(places, [at for at in coloured if state[at] != _LEARNT], f"stroke:{ink};stroke-width:8", 0.9)
    wrong = [places[at] for at, how in enumerate(state) if how == _WRONG]
    crosses = "".join(f"M{a - 4:.0f} {b - 4:.0f}l8 8m0-8l-8 8" for a, b in wrong)
    if crosses:
        parts.append(element("path", d=crosses, fill="none", style=f"stroke:{INK};stroke-width:1.6"))
    return picture(title, description, parts, wide=_WIDE, high=_HIGH, key=key)


def _dots(places: Sequence[tuple[float, float]], rows: Sequence[int], style: str, shade: float) -> Iterator[str]:
    """All of one look as one path: a line of no length with round ends is a dot, in ten bytes."""
    if rows:
        path = "".join(f"M{places[at][0]:.0f} {places[at][1]:.0f}h0" for at in rows)
        yield element("path", d=path, fill="none", stroke_linecap="round", stroke_opacity=shade, style=style)
