"""What a ranking says: candidates from the best on, how far each is behind, and which cannot be told from the best."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

from headstart.evidence.intervals import Interval
from headstart.evidence.plain import plain
from headstart.messages import lasting
from headstart.tasks.task import SetAside

__all__ = ["Place", "Ranking"]


class Place(NamedTuple):
    """One candidate.

    score     leave-one-out log likelihood in nats, or R2, on the rows that it was last scored on
    behind    the score of the best on those rows less its own, paired; (0, 0, 0) for the best itself
    rows      how many rows those are; seconds its features of them took
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
            return f"{self.winner} leads, but cannot be told from {' and '.join(self.level)} on {best.rows} rows"
        return f"{self.winner} is best; on {best.rows} rows it is told from every other"

    def to_json(self) -> dict[str, Any]:
        """Everything, as plain JSON."""
        parts = {"winner": self.winner, "level": self.level, "verdict": self.verdict, "measure": self.measure}
        rest = {"available": self.available, "places": self.places, "left_out": self.left_out, "notes": self.notes}
        return dict(json.loads(json.dumps(plain(parts | rest))))

    def __str__(self) -> str:
        width = max(len(place.name) for place in self.places)
        lines = [f"{self.verdict}", "", f"{'':{width}}  {self.measure:>24}  {'behind the best':>24}  {'rows':>6}  time"]
        for number, place in enumerate(self.places):
            behind = _shown(place.behind) if number else ""
            took = lasting(place.seconds)
            lines.append(f"{place.name:{width}}  {_shown(place.score):>24}  {behind:>24}  {place.rows:>6}  {took}")
        lines += [f"left out: {item.name}: {item.why}" for item in self.left_out]
        return "\n".join([*lines, *self.notes])


def _shown(interval: Interval) -> str:
    return f"{interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"
