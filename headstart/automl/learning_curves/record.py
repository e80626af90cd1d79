"""A learning curve as data: what was measured, what the power law says of more labels, and where the curves meet."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from headstart.automl.learning_curves.intersection import Meeting
from headstart.automl.learning_curves.power_law import PowerLaw
from headstart.evidence.intervals import Interval

__all__ = ["Curve", "Forecast", "Line", "Point"]


class Point(NamedTuple):
    """The score of a model that learnt from so many rows, with its 95 % interval."""

    rows: int
    score: Interval

    def to_json(self) -> dict[str, Any]:
        """rows, value, low, high."""
        value, low, high = (_number(part) for part in self.score)
        return {"rows": self.rows, "value": value, "low": low, "high": high}


class Forecast(NamedTuple):
    """The score that a model is expected to have after learning from so many rows, and how much better that is than
    now, each with its 95 % interval."""

    rows: int
    score: Interval
    gain: Interval

    @property
    def point(self) -> Point:
        """It without the gain."""
        return Point(self.rows, self.score)

    def to_json(self) -> dict[str, Any]:
        """rows, value, low, high, gain."""
        value, low, high = (_number(part) for part in self.gain)
        return self.point.to_json() | {"gain": {"value": value, "low": low, "high": high}}


class Line(NamedTuple):
    """Of one model.

    measured   a point a size
    law        of the error; None where none fits, and `why` says so
    begins     the size from which on it was fitted; 0 without a law
    foretold   at 2 and 4 times the rows of the largest size; none without a law
    """

    measured: tuple[Point, ...]
    law: PowerLaw | None
    why: str
    begins: int
    foretold: tuple[Forecast, ...]

    @property
    def last(self) -> Point:
        """With all rows there are to learn from."""
        return self.measured[-1]

    @property
    def expected(self) -> list[Point]:
        """What is foretold, without the gains."""
        return [forecast.point for forecast in self.foretold]

    def to_json(self) -> dict[str, Any]:
        """measured, law (a, b, c), why, begins, foretold."""
        return {
            "measured": [point.to_json() for point in self.measured],
            "law": None if self.law is None else self.law._asdict(),
            "why": self.why or None,
            "begins": self.begins or None,
            "foretold": [point.to_json() for point in self.foretold],
        }


@dataclass(frozen=True, kw_only=True)
class Curve:
    """What more labels would bring.

    metric     by name; an error is the score itself where lower is better, else 1 - score
    lines      by name: this model first, then no-transfer, and random-weights where asked for
    meeting    where no-transfer gets as good as this model
    protocol   how rows were held out; `tested` of them, and `draws` of subsamples
    labelled   rows of the data, of which those of the largest size are learnt from
    """

    method: str
    backbone: str | None
    metric: str
    lower_is_better: bool
    lines: dict[str, Line]
    meeting: Meeting
    protocol: str
    tested: int
    labelled: int
    draws: int
    seconds: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON. Of a meeting, null is "not up to `reach`", and 0 "from the smallest size on"."""
        meeting = {name: _number(value) for name, value in self.meeting._asdict().items()}
        return {
            "method": self.method,
            "backbone": self.backbone,
            "metric": self.metric,
            "lower_is_better": self.lower_is_better,
            "protocol": self.protocol,
            "labelled": self.labelled,
            "tested": self.tested,
            "draws": self.draws,
            "lines": {name: line.to_json() for name, line in self.lines.items()},
            "meeting": meeting | {"words": str(self.meeting)},
            "seconds": self.seconds,
        }

    def __str__(self) -> str:
        from headstart.automl.learning_curves.page import page

        return page(self)


def _number(value: Any) -> Any:
    """None for what is not finite, which JSON does not have."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
