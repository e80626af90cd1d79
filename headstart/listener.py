"""Who hears what a long run has to say: lines of plain words, and progress in rows."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

__all__ = ["LOGGED", "SILENT", "CurveListener", "Listener", "Logged"]


class Listener(Protocol):
    """`say` one line of what was found or decided; `progress` of a named stage, `done` of `total` rows."""

    def say(self, line: str) -> None: ...

    def progress(self, stage: str, done: int, total: int) -> None: ...


@runtime_checkable
class CurveListener(Listener, Protocol):
    """A listener that also hears of each epoch of a training: which method trains, the stage and the epoch in it (both
    from 0), and the mean losses "train" and, where rows are left for it, "val". A resumed training tells of all."""

    def epoch(self, training: str, stage: int, epoch: int, losses: Mapping[str, float]) -> None: ...


class Logged:
    """The default from Python: lines go to the logger "headstart" at level INFO, progress to level DEBUG."""

    def __init__(self) -> None:
        self.log = logging.getLogger("headstart")

    def say(self, line: str) -> None:
        self.log.info("%s", line)

    def progress(self, stage: str, done: int, total: int) -> None:
        self.log.debug("%s: %d of %d", stage, done, total)


LOGGED = Logged()


class _Silent:
    def say(self, line: str) -> None:
        return None

    def progress(self, stage: str, done: int, total: int) -> None:
        return None


SILENT = _Silent()
"""A listener that tells nobody."""
