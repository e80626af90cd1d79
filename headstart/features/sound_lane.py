"""One lane of a run over recordings: windows wait for the engine, features for the mean of their recording."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Event, Lock
from typing import Any, Protocol

import numpy as np

from headstart.data.sound_sketch import Sketcher
from headstart.data.waves import Wave
from headstart.errors import DataError
from headstart.features.cache.store import Store
from headstart.features.engines.engine import Rows
from headstart.features.engines.provider import Supply
from headstart.features.under_way import Finished, UnderWay
from headstart.linalg.mel import RATE
from headstart.preprocessing.sound import SoundPreprocess
from headstart.tasks.audio import Clip
from headstart.tasks.task import Array

__all__ = ["SoundLane", "SoundRun"]

_SHARD = 128


class SoundRun(Protocol):
    """What lanes share, see `sounds.Sounds`."""

    inputs: Any
    values: Rows
    thumbs: Any
    keys: list[bytes]
    why: dict[int, str]
    computed: int
    supply: Supply | None
    sketches: Store | None
    preprocess: SoundPreprocess | None
    has_values: Array
    has_sketch: Array
    lock: Lock

    def budget(self, form: SoundPreprocess) -> int: ...


@dataclass
class _Mean:
    """Of the windows of a recording that are back, features times samples (D,). `whole`: how many windows there are,
    once all were handed over."""

    total: Array | None = None
    samples: int = 0
    back: int = 0
    whole: int | None = None

    def add(self, values: Rows, samples: int) -> None:
        part = values.astype(np.float64) * samples
        self.total = part if self.total is None else self.total + part
        self.samples += samples
        self.back += 1


class SoundLane:
    """One thread, which reads recordings, each from its beginning to its end."""

    def __init__(self, run: SoundRun, stopped: Event) -> None:
        self._run, self._stopped = run, stopped
        self._under_way: UnderWay | None = None
        self._waiting: list[tuple[int, Wave, int]] = []
        self._owners: dict[int, tuple[int, int]] = {}
        self._windows = 0
        self._means: dict[int, _Mean] = {}
        self._fresh: list[int] = []
        self._fresh_sketches: list[int] = []

    def run(self, batches: Iterable[list[int]]) -> None:
        """Rows by batches: windows of one batch and those of another never go together."""
        try:
            for batch in batches:
                for row in batch:
                    self._take(row)
                self._flush()
            if self._under_way is not None:
                self._take_in(self._under_way.rest())
        finally:
            self._keep()

    def _take(self, row: int) -> None:
        """Read one recording: its windows for the engine, and what it sounds like for its sketch."""
        run, clip = self._run, self._run.inputs[row]
        wants_values = not run.has_values[row]
        sketcher = None if run.has_sketch[row] else Sketcher(clip)
        try:
            if wants_values and run.preprocess is not None:
                self._listen(row, clip, run.preprocess, sketcher)
            elif sketcher is not None:
                deque(sketcher.blocks(), maxlen=0)
            if sketcher is not None:
                run.thumbs[row] = sketcher.finish()
                run.has_sketch[row] = True
                self._fresh_sketches.append(row)
        except DataError as error:
            run.why[row] = str(error)
            self._waiting = [window for window in self._waiting if window[0] != row]
        if not wants_values or row in run.why:
            self._count()
        if len(self._fresh) + len(self._fresh_sketches) >= _SHARD:
            self._keep()

    def _listen(self, row: int, clip: Clip, form: SoundPreprocess, sketcher: Sketcher | None) -> None:
        """Hand over the windows of a recording, batch by batch where there are many."""
        blocks = None
        if sketcher is not None and form.rate == RATE:
            blocks = sketcher.blocks()
        elif sketcher is not None:
            deque(sketcher.blocks(), maxlen=0)
        mean = self._means[row] = _Mean()
        count = 0
        for window in form.windows(clip, blocks):
            longest = max(len(window.wave), *(len(wave) for _, wave, _ in self._waiting), 1)
            if longest * (len(self._waiting) + 1) > self._run.budget(form):
                self._flush()
            self._waiting.append((row, window.wave, window.fresh))
            count += 1
        mean.whole = count

    def _flush(self) -> None:
        """Run what waits."""
        waiting, self._waiting = self._waiting, []
        if not waiting or self._run.preprocess is None or not self._ready() or self._under_way is None:
            return
        numbers = list(range(self._windows, self._windows + len(waiting)))
        self._windows += len(waiting)
        self._owners |= {number: (row, fresh) for number, (row, _, fresh) in zip(numbers, waiting, strict=True)}
        arrays = self._run.preprocess.collate([wave for _, wave, _ in waiting])
        self._take_in(self._under_way.give(numbers, *arrays))

    def _ready(self) -> bool:
        """Whether there is an engine; not where the run was stopped meanwhile."""
        supply = self._run.supply
        if self._under_way is None and supply is not None:
            engine = supply.wait(self._stopped)
            self._under_way = None if engine is None else UnderWay(engine)
        return self._under_way is not None

    def _take_in(self, finished: Finished) -> None:
        for numbers, values in finished:
            for number, row_values in zip(numbers, values, strict=True):
                row, fresh = self._owners.pop(number)
                self._means[row].add(row_values, fresh)
        for row in [row for row, mean in self._means.items() if mean.whole == mean.back]:
            mean = self._means.pop(row)
            if mean.total is not None and row not in self._run.why:
                self._run.values[row] = mean.total / mean.samples
                self._run.has_values[row] = True
                self._fresh.append(row)
                self._count()

    def _count(self) -> None:
        with self._run.lock:
            self._run.computed += 1

    def _keep(self) -> None:
        """Store what is fresh."""
        run = self._run
        if run.supply is not None and run.supply.store is not None:
            run.supply.store.put([run.keys[row] for row in self._fresh], run.values[self._fresh])
        if run.sketches is not None:
            keys = [run.keys[row] for row in self._fresh_sketches]
            run.sketches.put(keys, run.thumbs[self._fresh_sketches])
        self._fresh, self._fresh_sketches = [], []
