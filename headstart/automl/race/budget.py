"""How long a race may take: what a person writes as seconds, and a clock that says what is left of them."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable

from headstart.errors import TrainingError
from headstart.listener import Listener
from headstart.messages import lasting

__all__ = ["Budget", "Deadline", "OutOfTime", "seconds_of"]

_UNITS = {"s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*([a-z]+)")
_EXAMPLE = "expected a time such as 90s, 10m, 1h30m, or a number of seconds"


class OutOfTime(TrainingError):
    """A trial has reached its deadline. Nothing is lost but that trial; of a second training on all rows nothing but
    that, for the first one is kept (`methods.finetune.tune`)."""


def seconds_of(budget: str | float) -> float:
    """Seconds of "90s", "10m", "1h30m", "2 min", or of a number. ValueError for what is no time above 0."""
    if isinstance(budget, bool) or not isinstance(budget, str | int | float):
        raise ValueError(f"budget={budget!r}: {_EXAMPLE}")
    seconds = _parsed(budget) if isinstance(budget, str) else float(budget)
    if not (math.isfinite(seconds) and seconds > 0):
        raise ValueError(f"budget={budget!r}: {_EXAMPLE}, more than none")
    return seconds


def _parsed(text: str) -> float:
    words = text.strip().lower()
    try:
        return float(words)
    except ValueError:
        parts = _PART.findall(words)
    if not parts or _PART.sub("", words).strip() or any(unit not in _UNITS for _, unit in parts):
        raise ValueError(f"budget={text!r}: {_EXAMPLE}")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


class Budget:
    """So many seconds from when it was made.

    clock   seconds that only grow; began: its value when the run began, where that was before this was made
    """

    def __init__(
        self, seconds: float, *, clock: Callable[[], float] = time.monotonic, began: float | None = None
    ) -> None:
        self.seconds, self.clock = seconds, clock
        self.began = clock() if began is None else began

    @property
    def spent(self) -> float:
        """Seconds since the beginning."""
        return self.clock() - self.began

    @property
    def left(self) -> float:
        """Seconds to the end; below 0 once that is past."""
        return self.seconds - self.spent

    def __str__(self) -> str:
        return lasting(self.seconds)


class Deadline:
    """A listener that ends what it listens to: once `most` seconds are over, `OutOfTime` is raised where that next
    tells of its progress, and only there: what is done with what there is by then may go on.

    quiet   nothing is passed on: a trial is told of in one line by who runs it
    """

    def __init__(self, listener: Listener, most: float, clock: Callable[[], float], *, quiet: bool = True) -> None:
        self.listener, self.clock, self.quiet = listener, clock, quiet
        self.most, self.until, self.over = most, clock() + most, False

    def say(self, line: str) -> None:
        if not self.quiet:
            self.listener.say(line)
        self._look()

    def progress(self, stage: str, done: int, total: int) -> None:
        if not self.quiet:
            self.listener.progress(stage, done, total)
        self._look()

    def _look(self) -> None:
        if not self.over and self.clock() > self.until:
            self.over = True
            raise OutOfTime(f"more than the {lasting(self.most)} that were left for it")
