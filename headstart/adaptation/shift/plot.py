"""Two pictures of a shift as one self-contained SVG: both tasks on a common plane, and the columns that differ most.

The plane is the first two principal axes of the rows of both tasks, each column standardised over both. Up to 400 rows
of each task are drawn: source rows as hollow circles, target rows as filled squares, so that colour is not needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import numpy as np
from scipy.linalg import eigh

from headstart.adaptation.shift.diagnose import Shift
from headstart.evidence.verdict import figure
from headstart.tasks.task import Array

__all__ = ["plane", "shift_picture"]

_SIDE, _LEFT, _TOP, _ROW, _COLUMNS, _DRAWN = 360, 30, 40, 24, 12, 400
_SOURCE, _TARGET, _INK = "#3b6ea5", "#c8501e", "#333"


def shift_picture(source: Array, target: Array, shift: Shift, *, seed: int = 0) -> str:
    """The SVG of source (n, d) and target (m, d), finite, with a title and a description for who reads by ear."""
    wide, high = 2 * _SIDE + 3 * _LEFT, _SIDE + _TOP + _LEFT
    title = escape(f"Source and target: {shift.kind}. {shift.why}")
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" role="img" aria-labelledby="st sd" '
        f'font-family="sans-serif" font-size="12" fill="{_INK}">',
        f'<title id="st">{title}</title>',
        f'<desc id="sd">{escape(_described(source, target, shift))}</desc>',
        f'<rect width="{wide}" height="{high}" fill="#fff"/>',
        *_map(source, target, np.random.default_rng(seed)),
        *_bars(shift),
        "</svg>",
    ]
    return "\n".join(parts)


def plane(source: Array, target: Array) -> tuple[Array, Array]:
    """(n, 2) and (m, 2): both tasks on the principal axes of their rows together; the second is 0 for one column."""
    both = np.concatenate([source, target]).astype(np.float64)
    spread = both.std(axis=0)
    both = (both - both.mean(axis=0)) / np.where(spread > 1e-12, spread, np.inf)
    width = both.shape[1]
    axes = eigh(both.T @ both, subset_by_index=[max(0, width - 2), width - 1])[1][:, ::-1]
    # An axis has no sign of its own: its largest part points up, so that the picture is the same everywhere.
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    places = both @ axes
    places = np.concatenate([places, np.zeros((len(places), 2 - places.shape[1]))], axis=1)
    return places[: len(source)], places[len(source) :]


def _map(source: Array, target: Array, random: np.random.Generator) -> Iterator[str]:
    chosen = [rows[np.sort(random.permutation(len(rows))[:_DRAWN])] for rows in plane(source, target)]
    both = np.concatenate(chosen)
    low, reach = both.min(axis=0), np.maximum(np.ptp(both, axis=0), 1e-9)
    yield f'<rect x="{_LEFT}" y="{_TOP}" width="{_SIDE}" height="{_SIDE}" fill="none" stroke="#ccc"/>'
    yield f'<text x="{_LEFT}" y="24" fill="{_SOURCE}">○ source, {len(source):,} rows</text>'
    yield f'<text x="{_LEFT + _SIDE // 2}" y="24" fill="{_TARGET}">■ target, {len(target):,} rows</text>'
    for number, rows in enumerate(chosen):
        places = (rows - low) / reach * (_SIDE - 16) + 8
        for across, up in places.tolist():
            x, y = _LEFT + across, _TOP + _SIDE - up
            if number:
                yield f'<rect x="{x - 2:.1f}" y="{y - 2:.1f}" width="4" height="4" fill="{_TARGET}" fill-opacity=".6"/>'
            else:
                yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="none" stroke="{_SOURCE}"/>'


def _bars(shift: Shift) -> Iterator[str]:
    left, label = 2 * _LEFT + _SIDE, 120
    yield f'<text x="{left}" y="24">columns that differ most, 0 to 1</text>'
    for number, column in enumerate(shift.columns[:_COLUMNS]):
        y, length = _TOP + number * _ROW, column.distance * (_SIDE - label - 50)
        name = column.name if len(column.name) <= 17 else f"{column.name[:16]}…"
        shade = _TARGET if column.p < 0.05 else "#bbb"
        yield f'<text x="{left}" y="{y + 15}">{escape(name)}</text>'
        yield f'<rect x="{left + label}" y="{y + 4}" width="{length:.1f}" height="14" fill="{shade}"/>'
        yield f'<text x="{left + label + length + 6:.1f}" y="{y + 15}">{figure(column.distance)}</text>'


def _described(source: Array, target: Array, shift: Shift) -> str:
    """What a picture shows, for who cannot see it."""
    gap = np.linalg.norm(np.subtract(*(rows.mean(axis=0) for rows in plane(source, target))))
    most = ", ".join(f"{column.name} {figure(column.distance)}" for column in shift.columns[:_COLUMNS])
    return (
        f"Left: {len(source):,} source and {len(target):,} target rows on their common principal axes; their centres "
        f"lie {figure(float(gap))} apart, columns having a deviation of 1. Right: how far each column differs, "
        f"from 0 (not at all) to 1 (wholly): {most}."
    )
