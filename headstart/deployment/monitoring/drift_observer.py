"""The running comparison of what is served: told of every batch, it holds sums of the last window, and logs windows."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np

from headstart.artefact.model import Model
from headstart.checks import at_least
from headstart.deployment.monitoring.drift import FEWEST, WINDOW, Reference, Sums, WindowDrift, added, fingerprint_of
from headstart.deployment.monitoring.drift_log import DriftLog, Logged
from headstart.tasks.task import Array

__all__ = ["DriftObserver"]

_PARTS = 10
_AT_ONCE = 16
"""Rows whose sums are calculated together: of a single one they cost a twentieth of the answer to it."""


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
        self._waiting: list[tuple[Array, Array | None]] = []
        self._began = self._arrived = _now()

    def __call__(self, features: Array, values: Array | None = None) -> None:
        """(N, D) features that the head stands on, and its predictions (N, C) or (N,)."""
        if self._waiting and (self._waiting[0][1] is None) != (values is None):
            self._add()
        if not self._waiting:
            self._arrived = _now()
        self._waiting.append((features, values))
        if sum(len(rows) for rows, _ in self._waiting) >= min(_AT_ONCE, self._room):
            self._add()

    def _add(self) -> None:
        """Calculate the sums of what waits."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        features = np.concatenate([rows for rows, _ in waiting])
        values = [own for _, own in waiting if own is not None]
        predictions = np.concatenate(values) if values else None
        start = 0
        while start < len(features):
            rows = slice(start, start + self._room)
            sums = self.reference.sums(features[rows], None if predictions is None else predictions[rows])
            if not self._open and not self._unlogged:
                self._began = self._arrived
            self._open.append(sums)
            if not self._room:
                self._close()
            start = rows.stop

    @property
    def _room(self) -> int:
        """Rows until a part of the window is whole."""
        return self._part - sum(part.rows for part in self._open)

    @property
    def rows(self) -> int:
        """How many rows the last window has."""
        self._add()
        return sum(part.rows for part in (*self._parts, *self._open))

    def latest(self) -> WindowDrift | None:
        """What the last window says; None while it has too few rows."""
        return self.reference.compare(added([*self._parts, *self._open])) if self.rows >= FEWEST else None

    def stop(self) -> None:
        """Log what is left."""
        self._add()
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
