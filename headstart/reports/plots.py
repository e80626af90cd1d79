"""The plots of a report, from the evidence: confusions, reliability, and the map of the features."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from headstart.drawing.matrix import matrix, order_of
from headstart.drawing.reliability import reliability_diagram
from headstart.drawing.scatter import COLOURS, OTHER, STEPS, scatter
from headstart.evidence.confusion import Mistake
from headstart.evidence.examples import FeatureMap
from headstart.evidence.record import Record
from headstart.evidence.verdict import figure, spread
from headstart.reports.words import Words

__all__ = ["DRAWN", "ConfusionView", "MapView", "confusion_view", "map_view", "reliability_view"]

DRAWN, _PAIRS, _WRONG = 40, 10, 2


class ConfusionView(NamedTuple):
    """plot   SVG; "" where there are too many classes
    lead   what to know of it
    pairs  truth and answer, rows, of how many
    """

    plot: str
    lead: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]


def confusion_view(words: Words, evidence: Record, at: str = "") -> ConfusionView | None:
    """None where a row has no one class. `at` is what ids of the drawing begin with, as of the others."""
    if not evidence.kind.exclusive or len(evidence.classes) < 2:
        return None
    pairs = tuple(_pair(words, evidence, mistake) for mistake in evidence.mistakes[:_PAIRS])
    size = len(evidence.classes)
    if not evidence.confusion:
        return ConfusionView("", (words("confusion.pairs", count=f"{size:,}"),), pairs)
    counts = np.array(evidence.confusion, dtype=np.float64)
    wrong = counts - np.diag(np.diag(counts))
    lead = [words("confusion.lead")]
    drawn = np.arange(size)
    if size > DRAWN:
        drawn = np.sort(np.argsort(-(wrong.sum(axis=0) + wrong.sum(axis=1)), kind="stable")[:DRAWN])
        lead.append(words("confusion.few", count=f"{size:,}", shown=DRAWN))
    drawn = drawn[order_of(wrong[np.ix_(drawn, drawn)])]
    named = [str(evidence.classes[at].label) for at in drawn.tolist()]
    spoken = words("semicolon").join(f"{pair} ({rows})" for pair, rows in pairs[:5]) or words("confusion.none")
    plot = matrix(
        counts[np.ix_(drawn, drawn)],
        named,
        words("confusion.title"),
        words("confusion.description", count=len(drawn), pairs=spoken),
        (words("confusion.true"), words("confusion.answered")),
        f"{at}confusion",
    )
    return ConfusionView(Markup(plot), tuple(lead), pairs)  # noqa: S704 - made by `drawing`, which escapes


def _pair(words: Words, evidence: Record, mistake: Mistake) -> tuple[str, str]:
    rows = f"{mistake.rows:.1f}".removesuffix(".0")
    of = next((row.support for row in evidence.classes if row.label == mistake.truth), None)
    return (
        words("confusion.pair", truth=_short(mistake.truth), answer=_short(mistake.answer)),
        rows if of is None else words("confusion.of", rows=rows, all=of),
    )


def reliability_view(words: Words, evidence: Record, at: str = "") -> tuple[str, str] | None:
    """The diagram, and the calibration error in words; None without probabilities."""
    bins = evidence.reliability
    if not bins or not bins["rows"]:
        return None
    points = words("semicolon").join(
        f"{figure(sure)} {figure(right)}" for sure, right in zip(bins["confidence"], bins["accuracy"], strict=True)
    )
    plot = reliability_diagram(
        bins["confidence"],
        bins["accuracy"],
        bins["rows"],
        words("reliability.title"),
        words("reliability.description", points=points),
        (words("reliability.sure"), words("reliability.right")),
        key=f"{at}reliability",
    )
    error = evidence.metrics["calibration_error"]
    caption = words("reliability.error", value=figure(error.value), interval=spread(error))
    return Markup(plot), caption  # noqa: S704 - made by `drawing`, which escapes


class MapView(NamedTuple):
    """plot   SVG
    lead   what to know of it
    key    names of labels and their colours
    """

    plot: str
    lead: tuple[str, ...]
    key: tuple[tuple[str, str], ...]


def map_view(words: Words, drawn: FeatureMap, *, numbers: bool, at: str = "") -> MapView:
    """The labels of which most rows were answered wrongly have a colour, the others are grey; numbers in five steps."""
    colours = STEPS if numbers else COLOURS
    wrong = Counter(code for code, how in zip(drawn.code, drawn.state, strict=True) if how == _WRONG and code >= 0)
    often = Counter(code for code in drawn.code if code >= 0)
    ordered = len(drawn.labels) <= len(colours)
    codes = sorted(often) if ordered else sorted(often, key=lambda code: (-wrong[code], -often[code], code))
    place = {code: number for number, code in enumerate(codes[: len(colours)])}
    key = [(_short(drawn.labels[code]), colours[number]) for code, number in place.items()]
    if len(codes) > len(place) or -1 in drawn.code:
        key.append((words("map.other"), OTHER))
    of = words("map.of", backbone=drawn.of) if drawn.of else words("map.columns")
    lead = [words("map.lead.numbers" if numbers else "map.lead", of=of, share=f"{100 * drawn.share:.0f} %")]
    if any(_crowded(places) for places in (drawn.x, drawn.y)):
        lead.append(words("map.edge"))
    shown = len(drawn.x)
    if shown < drawn.rows:
        lead.append(words("map.some", shown=f"{shown:,}", rows=f"{drawn.rows:,}"))
    labels = words("comma").join(name for name, _ in key)
    plot = scatter(
        drawn.x,
        drawn.y,
        [place.get(code, -1) for code in drawn.code],
        drawn.state,
        words("map.title"),
        words("map.description", shown=f"{shown:,}", wrong=drawn.state.count(_WRONG), labels=labels),
        colours,
        key=f"{at}map",
    )
    return MapView(Markup(plot), tuple(lead), tuple(key))  # noqa: S704 - made by `drawing`, which escapes


def _crowded(places: Sequence[int]) -> bool:
    """Whether some stand on an edge that others left free: more than the one row that every edge has."""
    return places.count(min(places, default=0)) > 1 or places.count(max(places, default=0)) > 1


def _short(label: object, most: int = 60) -> str:
    text = str(label)
    return text if len(text) <= most else text[: most - 1] + "…"
