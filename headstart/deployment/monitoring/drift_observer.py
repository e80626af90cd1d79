"""The running comparison of what is served: told of every batch, it holds sums of the last window, and logs windows."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

from headstart.artefact.model import Model
from headstart.checks import at_least
from headstart.deployment.monitoring.drift import FEWEST, WINDOW, Reference, Sums, WindowDrift, added, fingerprint_of
from headstart.deployment.monitoring.drift_log import DriftLog, Logged
from headstart.tasks.task import Array

__all__ = ["DriftObserver"]

_PARTS = 10


class DriftObserver:
    """Called with the features of each batch and its predictions, by one thread at a time.

    window   rows that are compared, the last ones; moved on by a tenth
    log      where each window is written once it is whole, and what is left when it stops
    tell     called with what the last window says, a tenth of a window apart

    Raises DataError for a model that stores nothing to compare with, ValueError for a window of too few rows.
    """

    def __init__(
        self,
        model: Model,
        *,
        window: int = WINDOW,
        log: DriftLog | None = None,
        tell: Callable[[WindowDrift], None] | None = None,
    ) -> None:
        at_least("window", window, FEWEST)
        self.reference, self.fingerprint = Reference(model), fingerprint_of(model)
        self.window, self.log, self._tell = window, log, tell
        self._part = -(-window // _PARTS)
        self._parts: deque[Sums] = deque()
        self._open: list[Sums] = []
        self._unlogged: list[Sums] = []
        self._began = _now()

    def __call__(self, features: Array, values: Array | None = None) -> None:
        """(N, D) features that the head stands on, and its predictions (N, C) or (N,)."""
        start = 0
        while start < features.shape[0]:
            rows = slice(start, start + self._part - sum(part.rows for part in self._open))
            sums = self.reference.sums(features[rows], None if values is None else values[rows])
            if not self._open and not self._unlogged:
                self._began = _now()
            self._open.append(sums)
            if sum(part.rows for part in self._open) >= self._part:
                self._close()
            start = rows.stop

    @property
    def rows(self) -> int:
        """How many rows the last window has."""
        return sum(part.rows for part in (*self._parts, *self._open))

    def latest(self) -> WindowDrift | None:
        """What the last window says; None while it has too few rows."""
        return self.reference.compare(added([*self._parts, *self._open])) if self.rows >= FEWEST else None

    def stop(self) -> None:
        """Log what is left."""
        self._unlogged += self._open
        self._open = []
        self._write()

    def _close(self) -> None:
        part = added(self._open)
        self._open = []
        self._parts.append(part)
        while self.rows - self._parts[0].rows >= self.window:
            self._parts.popleft()
        self._unlogged.append(part)
        if sum(waiting.rows for waiting in self._unlogged) >= self.window:
            self._write()
        latest = None if self._tell is None else self.latest()
        if latest is not None and self._tell is not None:
            self._tell(latest)

    def _write(self) -> None:
        parts, self._unlogged = self._unlogged, []
        if self.log is not None and parts:
            self.log.write(Logged(self._began, _now(), self.fingerprint, added(parts)))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
