"""The curves as one self-contained SVG: measured scores with their intervals, the laws, and what they foretell.

The axis of labels is logarithmic. Each model has a sign of its own (circle, square, triangle), so that colour is not
needed; what is foretold is hollow, and stands right of a dashed line.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from html import escape
from typing import NamedTuple

import numpy as np

from headstart.automl.learning_curves.measure import error_of
from headstart.automl.learning_curves.page import MODEL, sentence
from headstart.automl.learning_curves.record import Curve, Line, Point
from headstart.evidence.verdict import figure
from headstart.tasks.goal import in_words

__all__ = ["picture_of"]

_WIDE, _HIGH, _LEFT, _RIGHT, _TOP, _BOTTOM = 720, 440, 64, 24, 64, 56
_SIGNS = (("#3b6ea5", "●"), ("#c8501e", "■"), ("#6b6b6b", "▲"))
_INK, _GRID, _SIZE, _TICKS, _STEPS = "#333", "#ddd", 4.5, 6, 60
_DECADES = (1, 2, 5)


class Frame(NamedTuple):
    """From numbers of labels and scores to places on the picture."""

    x: Callable[[float], float]
    y: Callable[[float], float]
    low: float
    high: float
    first: int
    last: int


def picture_of(curve: Curve) -> str:
    """The SVG, with a title and a description for who reads by ear."""
    frame = _frame(curve)
    title = escape(f"Learning curve: {in_words(curve.metric)} by labels to learn from")
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {_HIGH}" role="img" aria-labelledby="ct cd" '
        f'font-family="sans-serif" font-size="12" fill="{_INK}">',
        f'<title id="ct">{title}</title>',
        f'<desc id="cd">{escape(f"{sentence(curve)} {curve.meeting}.")}</desc>',
        f'<rect width="{_WIDE}" height="{_HIGH}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="22" font-size="14">{title}</text>',
        *_axes(curve, frame),
        *(part for number, line in enumerate(curve.lines.values()) for part in _band(line, number, frame)),
        *(part for number, line in enumerate(curve.lines.values()) for part in _drawn(curve, line, number, frame)),
        *_legend(curve),
        "</svg>",
    ]
    return "\n".join(parts)


def _frame(curve: Curve) -> Frame:
    lines = curve.lines.values()
    points = [point for line in lines for point in (*line.measured, *line.expected)]
    rows = [point.rows for point in points]
    ends = [end for point in points for end in (point.score.low, point.score.high) if math.isfinite(end)]
    values = [point.score.value for point in points]
    # A first point far below the others, as R2 on ten rows may be, would flatten all that matters.
    floor, ceiling = min(*values, *ends), max(*values, *ends)
    middle = float(np.median(values))
    if not curve.lower_is_better:
        floor = max(floor, middle - 3 * max(ceiling - middle, 0.05))
    else:
        ceiling = min(ceiling, middle + 3 * max(middle - floor, 0.05 * abs(middle)))
    room = 0.04 * max(ceiling - floor, 1e-9)
    low, high, first, last = floor - room, ceiling + room, min(rows), max(rows)
    across, up = _WIDE - _LEFT - _RIGHT, _HIGH - _TOP - _BOTTOM
    reach = math.log(last / first) or 1.0

    def x(count: float) -> float:
        return _LEFT + 8 + (across - 16) * math.log(count / first) / reach

    def y(score: float) -> float:
        return _TOP + up * (1 - (min(max(score, low), high) - low) / (high - low))

    return Frame(x, y, low, high, first, last)


def _axes(curve: Curve, frame: Frame) -> Iterator[str]:
    bottom, right = _HIGH - _BOTTOM, _WIDE - _RIGHT
    for score in _ticks(frame.low, frame.high):
        y = frame.y(score)
        yield f'<line x1="{_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="{_GRID}"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{figure(score) if score else "0"}</text>'
    for count in _counts(frame.first, frame.last):
        x = frame.x(count)
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{bottom + 5}" stroke="{_INK}"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 19}" text-anchor="middle">{count:,}</text>'
    yield f'<rect x="{_LEFT}" y="{_TOP}" width="{right - _LEFT}" height="{bottom - _TOP}" fill="none" stroke="{_INK}"/>'
    middle = (_LEFT + right) / 2
    yield f'<text x="{middle}" y="{_HIGH - 14}" text-anchor="middle">labels to learn from</text>'
    have = next(iter(curve.lines.values())).measured[-1].rows
    if have < frame.last:
        x = frame.x(have)
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}" stroke="{_INK}" stroke-dasharray="2 4"/>'
        yield f'<text x="{x - 5:.1f}" y="{bottom - 8}" text-anchor="end">measured</text>'
        yield f'<text x="{x + 5:.1f}" y="{bottom - 8}">foretold</text>'


def _ticks(low: float, high: float) -> list[float]:
    """Some round scores in between."""
    step: float = 10.0 ** math.floor(math.log10((high - low) / _TICKS))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (factor * step) <= _TICKS)
    return [float(round(number * step, 10)) for number in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _counts(first: int, last: int) -> list[int]:
    """1, 2, 5 times a power of ten in between."""
    powers = range(int(math.log10(first)), int(math.log10(last)) + 1)
    return [count for power in powers for factor in _DECADES if first <= (count := factor * 10**power) <= last]


def _band(line: Line, number: int, frame: Frame) -> Iterator[str]:
    """The area between the ends of the intervals: of what is measured, and lighter of what is foretold."""
    colour, _ = _SIGNS[number]
    for points, shade in ((line.measured, 0.22), ([line.last, *line.expected], 0.1)):
        upper = [(frame.x(point.rows), frame.y(point.score.high)) for point in points]
        lower = [(frame.x(point.rows), frame.y(point.score.low)) for point in points]
        corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in [*upper, *lower[::-1]])
        yield f'<polygon points="{corners}" fill="{colour}" fill-opacity="{shade}"/>'


def _drawn(curve: Curve, line: Line, number: int, frame: Frame) -> Iterator[str]:
    """The measured scores joined, the law dashed from there on, and the signs of the points."""
    colour, sign = _SIGNS[number]
    yield _path([(point.rows, point.score.value) for point in line.measured], frame, colour, "")
    if line.law is not None:
        counts = np.geomspace(line.measured[-1].rows, frame.last, _STEPS)
        scores = error_of(curve.metric, line.law.at(counts))
        yield _path(list(zip(counts.tolist(), scores.tolist(), strict=True)), frame, colour, ' stroke-dasharray="6 4"')
    for points, fill in ((line.measured, colour), (line.expected, "#fff")):
        yield from (_sign(point, sign, fill, colour, frame) for point in points)


def _path(points: list[tuple[float, float]], frame: Frame, colour: str, dashes: str) -> str:
    places = " ".join(f"{frame.x(count):.1f},{frame.y(score):.1f}" for count, score in points)
    return f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="1.8"{dashes}/>'


def _sign(point: Point, sign: str, fill: str, colour: str, frame: Frame) -> str:
    return _shape(sign, frame.x(point.rows), frame.y(point.score.value), fill, colour)


def _shape(sign: str, x: float, y: float, fill: str, colour: str) -> str:
    look = f'fill="{fill}" stroke="{colour}" stroke-width="1.5"'
    if sign == "●":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_SIZE}" {look}/>'
    if sign == "■":
        return f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" {look}/>'
    return f'<polygon points="{x:.1f},{y - 5:.1f} {x - 5:.1f},{y + 4:.1f} {x + 5:.1f},{y + 4:.1f}" {look}/>'


def _legend(curve: Curve) -> Iterator[str]:
    names = [f"{MODEL} ({curve.method})", *list(curve.lines)[1:]]
    for number, name in enumerate(names):
        colour, sign = _SIGNS[number]
        x = _LEFT + number * 200
        yield _shape(sign, x + 6, 44, colour, colour)
        yield f'<text x="{x + 16}" y="48">{escape(name)}</text>'
