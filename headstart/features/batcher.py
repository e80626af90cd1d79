"""Prepared pictures, put together to batches for an engine."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event, Lock

import numpy as np

from headstart.features.engines.provider import Supply
from headstart.features.engines.rescue import RescuedEngine
from headstart.features.under_way import Finished, UnderWay
from headstart.preprocessing.prepare import Pixels
from headstart.tasks.task import Array

__all__ = ["Batcher"]

Waiting = list[tuple[int, Pixels]]


class Batcher:
    """Of one lane, or of several that share it where the engine is a device on which they would only queue: whoever
    makes a batch full hands it over, and the last lane that has nothing more to add what is left.

    most    pictures that may wait for an engine that is not ready yet
    lanes   how many share it
    """

    def __init__(self, supply: Supply, stopped: Event, most: int, lanes: int = 1) -> None:
        self._supply, self._stopped, self._most, self._lanes = supply, stopped, most, lanes
        self._lock = Lock()
        self._waiting: Waiting = []
        self._engine: RescuedEngine | None = None
        self._under_way: UnderWay | None = None
        self._padded: Pixels = np.zeros((0, 0, 0, 3), np.uint8)

    def add(self, number: int, pixels: Pixels) -> None:
        """One prepared picture, uint8 (H, W, 3)."""
        with self._lock:
            self._waiting.append((number, pixels))

    def run(self, *, everything: bool = False) -> Finished:
        """Hand over all full batches, and the last, padded one where `everything` is wanted, and take what is finished.

        Until the engine is ready pictures wait, as many as there is memory set aside for.
        """
        if self._waiting and self._under_way is None:
            self._get_engine(must=everything or len(self._waiting) >= self._most)
        if self._engine is None or self._under_way is None:
            return
        while not self._stopped.is_set() and (some := self._taken(self._engine, everything)):
            yield from self._under_way.give([number for number, _ in some], self._put_together(some, self._engine))

    def finish(self) -> Finished:
        """A lane has nothing more to add: run what still waits, unless others go on, and wait for what is under way."""
        with self._lock:
            self._lanes -= 1
        if self._stopped.is_set():
            return
        yield from self.run(everything=self._lanes <= 0)
        if self._under_way is not None:
            yield from self._under_way.rest()

    def _taken(self, engine: RescuedEngine, everything: bool) -> Waiting:
        """A whole batch; of what is left after these, as many as the engine takes at least."""
        with self._lock:
            if len(self._waiting) < (1 if everything else engine.batch):
                return []
            size = engine.batch if len(self._waiting) >= engine.batch else engine.lengths[0]
            some, self._waiting = self._waiting[:size], self._waiting[size:]
            return some

    def _get_engine(self, *, must: bool) -> None:
        self._supply.wanted.set()
        if not (must or self._supply.ready.is_set()):
            return
        engine = self._supply.wait(self._stopped)
        with self._lock:
            if engine is None or self._engine is not None:
                return
            self._under_way, self._engine = UnderWay(engine), engine

    def _put_together(self, some: Waiting, engine: RescuedEngine) -> Array | Sequence[Array]:
        """A batch of a length that the engine takes, whose last rows may be black. For a GPU, which copies it, only
        what it is made of."""
        pictures = [pixels for _, pixels in some]
        if engine.flight:
            return [*pictures, *[np.zeros_like(pictures[0])] * (engine.batch - len(some))]
        if not len(self._padded):
            self._padded = np.zeros((engine.batch, *pictures[0].shape), np.uint8)
        for place, pixels in enumerate(pictures):
            self._padded[place] = pixels
        self._padded[len(some) :] = 0
        return self._padded[: next(length for length in engine.lengths if length >= len(some))]
