"""A learning curve in words and figures, for a person at a terminal of 80 columns."""

from __future__ import annotations

import math
from collections.abc import Iterator

from headstart.automl.learning_curves.extrapolation import FACTORS
from headstart.automl.learning_curves.power_law import PowerLaw
from headstart.automl.learning_curves.record import Curve, Line, Point
from headstart.evidence.intervals import Interval
from headstart.evidence.lines import wrapped
from headstart.evidence.verdict import figure, spread
from headstart.tasks.goal import in_words

__all__ = ["page", "sentence"]

MODEL = "this model"


def page(curve: Curve) -> str:
    """What to expect of more labels, where the curves meet, the table, how it was measured, and the laws."""
    blocks = [
        wrapped(sentence(curve)),
        wrapped(f"{curve.meeting}."),
        list(_table(curve)),
        wrapped(_how(curve)),
        [line for name, of in curve.lines.items() for line in wrapped(_law(name, of, curve), indent="  ")],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def sentence(curve: Curve) -> str:
    """Such as: With 2 x the labels (800 to learn from) expect balanced accuracy .81 [.78, .84], which is better by .03
    [.01, .05]; with 4 x .83 [.79, .87], by .05 [.01, .08]. Now, with 400, it is .78 [.75, .81]."""
    line = next(iter(curve.lines.values()))
    *_, before, last = line.measured
    metric = in_words(curve.metric)
    now = f"{metric} is {_score(last.score)}"
    if not line.foretold:
        return (
            f"What more labels would bring cannot be foretold: {line.why}. With {last.rows:,} labels to learn from "
            f"{now}; with {before.rows:,} it is {_score(before.score)}."
        )
    first, *others = zip(FACTORS, line.foretold, strict=True)
    more = "".join(
        f"; with {factor} x {_score(forecast.score)}, by {_score(forecast.gain)}" for factor, forecast in others
    )
    factor, forecast = first
    return (
        f"With {factor} x the labels ({forecast.rows:,} to learn from) expect {metric} {_score(forecast.score)}, which "
        f"is better by {_score(forecast.gain)}{more}. Now, with {last.rows:,}, it is {_score(last.score)}."
    )


def _score(score: Interval) -> str:
    return f"{figure(score.value)} {spread(score)}"


def _table(curve: Curve) -> Iterator[str]:
    """A row a size; below the line what the laws foretell."""
    names = [MODEL, *list(curve.lines)[1:]]
    measured = zip(*(line.measured for line in curve.lines.values()), strict=True)
    rows = [["labels", *names], *(_cells(points) for points in measured)]
    below = [
        [f"{last * factor:,}", *(_foretold(line, place) for line in curve.lines.values())]
        for last in [next(iter(curve.lines.values())).measured[-1].rows]
        for place, factor in enumerate(FACTORS)
        if any(line.foretold for line in curve.lines.values())
    ]
    widths = [max(map(len, column)) for column in zip(*rows, *below, strict=True)]
    for row in rows:
        yield _line(row, widths)
    if below:
        yield f"{'-' * widths[0]}  foretold by the power laws"
        for row in below:
            yield _line(row, widths)


def _line(cells: list[str], widths: list[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    return "  ".join([f"{first[0]:>{first[1]}}", *(f"{cell:<{width}}" for cell, width in others)]).rstrip()


def _cells(points: tuple[Point, ...]) -> list[str]:
    return [f"{points[0].rows:,}", *(_score(point.score) for point in points)]


def _foretold(line: Line, place: int) -> str:
    return _score(line.foretold[place].score) if line.foretold else "?"


def _how(curve: Curve) -> str:
    rows = next(iter(curve.lines.values())).measured[-1].rows
    network = f" on {curve.backbone}" if curve.backbone else ""
    return (
        f"{in_words(curve.metric)} of {curve.method}{network}; {rows:,} of {curve.labelled:,} labelled rows to "
        f"learn from, {curve.tested:,} to test on ({curve.protocol}), {curve.draws} draws of each size; in brackets: "
        "95 % intervals"
    )


def _law(name: str, line: Line, curve: Curve) -> str:
    name = MODEL if line is next(iter(curve.lines.values())) else name
    if line.law is None:
        return f"{name}: no power law, since {line.why}"
    error = in_words(curve.metric) if curve.lower_is_better else f"1 - {in_words(curve.metric)}"
    start = f", fitted from {line.begins:,} labels on" if line.begins > line.measured[0].rows else ""
    return f"{name}: {error} = {in_letters(line.law)}{start}"


def in_letters(law: PowerLaw) -> str:
    """Such as .12 + 1.30 n^-.45."""
    constant = f"{figure(law.a)} + " if law.a > 0 and not math.isclose(law.a, 0, abs_tol=5e-4) else ""
    return f"{constant}{figure(law.b)} n^-{figure(law.c)}"
