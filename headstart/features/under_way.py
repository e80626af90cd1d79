"""Batches that were handed to an engine and whose features are still to come."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from threading import Lock

from headstart.features.engines.engine import Pending, Rows
from headstart.features.engines.rescue import RescuedEngine
from headstart.tasks.task import Array

__all__ = ["Finished", "UnderWay"]

Finished = Iterator[tuple[list[int], Rows]]
"""The numbers of some inputs, and their features."""


class UnderWay:
    """As many as keep the engine busy, oldest first; lanes may share it. Each batch is given to one lane, which may not
    be the one that handed it over. On the CPU there are none: a batch is finished when it was handed over."""

    def __init__(self, engine: RescuedEngine) -> None:
        self._start, self._most = engine.starter(), engine.flight
        self._batches: deque[tuple[list[int], Pending]] = deque()
        self._lock = Lock()

    def give(self, numbers: list[int], *inputs: Array | Sequence[Array]) -> Finished:
        """Hand over the inputs of these numbers (padding may follow them), and take what is finished meanwhile."""
        pending = self._start(*inputs)
        with self._lock:
            self._batches.append((numbers, pending))
        yield from self._finished(self._most)

    def rest(self) -> Finished:
        """Wait for all that is under way."""
        yield from self._finished(0)

    def _finished(self, most: int) -> Finished:
        while True:
            with self._lock:
                if len(self._batches) <= most:
                    return
                numbers, pending = self._batches.popleft()
            yield numbers, pending()[: len(numbers)]
