"""What a ranking says: candidates from the best on, how far each is behind, and which cannot be told from the best."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from headstart.backbones.layer_name import parted
from headstart.evidence.intervals import Interval
from headstart.evidence.lines import wrapped
from headstart.evidence.plain import plain
from headstart.messages import lasting
from headstart.tasks.task import SetAside

__all__ = ["Place", "Ranking"]


class Place(NamedTuple):
    """One candidate.

    score     leave-one-out log likelihood in nats, or R2, on the rows that it was last scored on
    behind    the score of the best on those rows less its own, paired; (0, 0, 0) for the best itself
    rows      how many rows those are
    seconds   that its features of them took, with those of other layers of the same backbone; fewer from the cache
    """

    name: str
    score: Interval
    behind: Interval
    rows: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """places    from the best on; a candidate that was passed over earlier stands behind those that were not
    left_out   candidates that could not be used, and why
    measure    what the score is, in words
    available  how many rows there were to be scored on
    """

    places: tuple[Place, ...]
    left_out: tuple[SetAside, ...]
    measure: str
    available: int
    notes: tuple[str, ...] = ()

    @property
    def winner(self) -> str:
        """The best candidate, whether or not others can be told from it."""
        return self.places[0].name

    @property
    def level(self) -> tuple[str, ...]:
        """Those that cannot be told from the best: the fastest of them is as good a choice."""
        return tuple(place.name for place in self.places[1:] if not place.behind.low > 0)

    @property
    def verdict(self) -> str:
        """In a sentence."""
        best = self.places[0]
        if len(self.places) == 1:
            return f"{self.winner} is the only candidate"
        if self.level:
            return f"{self.winner} leads, but cannot be told from {_and(self.level)} on {best.rows} rows"
        return f"{self.winner} is best; on {best.rows} rows it is told from every other"

    def to_json(self) -> dict[str, Any]:
        """Everything, as plain JSON."""
        parts = {"winner": self.winner, "level": self.level, "verdict": self.verdict, "measure": self.measure}
        rest = {"available": self.available, "places": self.places, "left_out": self.left_out, "notes": self.notes}
        return dict(json.loads(json.dumps(plain(parts | rest))))

    def __str__(self) -> str:
        lines = [*wrapped(self.verdict), "", _row("", self.measure, "behind the best", "rows", "time")]
        for number, place in enumerate(self.places):
            behind = _shown(place.behind) if number else "best"
            lines += _lines(place, behind)
        if self.level:
            lines += ["", *wrapped(f"= cannot be told from {self.winner}: any of them is as good a choice")]
        shared = len({parted(place.name).base for place in self.places}) < len(self.places)
        notes = ["layers of one backbone were read in one pass, whose time stands at each of them"] if shared else []
        notes += [f"not ranked: {item.name}: {item.why.removeprefix(f'{item.name}: ')}" for item in self.left_out]
        lines += [""] if notes or self.notes else []
        for note in (*notes, *self.notes):
            lines += wrapped(note, indent="  ")
        return "\n".join(lines)


_NAME = 22


def _row(name: str, score: str, behind: str, rows: str, seconds: str) -> str:
    return f"{name:<{_NAME}}{score:<24}{behind:<23}{rows:>4}  {seconds}".rstrip()


def _lines(place: Place, behind: str) -> list[str]:
    """Two where the name is too long to stand beside the figures."""
    level = "= " if behind != "best" and not place.behind.low > 0 else ""
    figures = (_shown(place.score), level + behind, str(place.rows), lasting(place.seconds).replace(" ", ""))
    return [_row(place.name, *figures)] if len(place.name) < _NAME else [place.name, _row("", *figures)]


def _and(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _shown(interval: Interval) -> str:
    value, low, high = interval
    if math.isnan(low):
        return _three(value)
    return f"{_three(value)} [{_three(low)}, {_three(high)}]"


def _three(value: float) -> str:
    """Three decimals of what is below 10, without a zero before the point; three figures of what is above."""
    if abs(value) >= 10:
        return f"{value:.3g}"
    text = f"{value:.3f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text
