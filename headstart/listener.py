"""Who hears what a long run has to say: lines of plain words, and progress in rows."""

from __future__ import annotations

import logging
from typing import Protocol

__all__ = ["LOGGED", "SILENT", "Listener", "Logged"]


class Listener(Protocol):
    """`say` one line of what was found or decided; `progress` of a named stage, `done` of `total` rows."""

    def say(self, line: str) -> None: ...

    def progress(self, stage: str, done: int, total: int) -> None: ...


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
