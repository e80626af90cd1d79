"""Recordings through the lanes: read block by block, cut into windows, run, averaged, kept; each file once, in one
thread, and never a whole one in memory.

Recordings of one window are batched by length, and longer ones come alone, their windows in batches. The plan of
batches depends on nothing but the recordings that are not in the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from threading import Event, Lock
from typing import Any

import numpy as np

from headstart.backbones.backbone import Backbone
from headstart.data.content import sound_key, sound_part_key
from headstart.data.sound_sketch import RECIPE, WIDTH
from headstart.features.cache.session import Session
from headstart.features.cache.store import Store
from headstart.features.engines.engine import Rows
from headstart.features.engines.provider import Supply
from headstart.features.lanes import run_lanes
from headstart.features.sound_lane import SoundLane
from headstart.features.texts import plan
from headstart.linalg.blas import one_thread
from headstart.preprocessing.preprocess import Preprocess
from headstart.preprocessing.sound import SoundPreprocess
from headstart.tasks import AUDIO

__all__ = ["Sounds", "open_sketches"]

_SECONDS, _SECONDS_ON_DEVICE = 48, 1024
"""Of sound in a batch, with padding; at least one window."""


class Sounds:
    """One run over recordings, as arrays with a row for each input.

    values   (N, D) float32, means over windows, where there is a `supply` of an engine
    thumbs   (N, WIDTH) float32 sketches, where a store for them is given
    keys     content keys; b"" where the input could not be read
    why      by row, why it gave nothing
    """

    def __init__(
        self,
        inputs: Sequence[Any],
        session: Session,
        *,
        supply: Supply | None,
        backbone: Backbone | None,
        sketches: Store | None,
        preprocess: SoundPreprocess | None,
    ) -> None:
        count = len(inputs)
        self.inputs = inputs
        self.values: Rows = np.empty((count, 0 if backbone is None else backbone.dim), np.float32)
        self.thumbs: Any = None if sketches is None else np.empty((count, WIDTH), np.float32)
        self.cut = None
        self.keys = [b""] * count
        self.why: dict[int, str] = {}
        self.computed = 0
        self.supply, self.sketches, self.preprocess = supply, sketches, preprocess
        self.has_values = np.full(count, supply is None)
        self.has_sketch = np.full(count, sketches is None)
        self.lock = Lock()
        self._finished = 0

    def missing(self, lanes: int) -> list[int]:
        """The rows that have to be computed, each different recording once; what can be found is looked up."""
        self._find_keys(lanes)
        return self._look_up(sorted(self._first.values()))

    def planned(self, rows: list[int], preprocess: Preprocess, budget: int) -> list[list[int]]:
        """The batches in which a run computes these rows, the shortest first, where all of them are missing."""
        return self._planned(rows)[::-1]

    def run(self, preprocess: Preprocess | None, lanes: int, progress: Callable[[int, int], None] | None) -> None:
        """Everything that can be found is looked up; the lanes do the rest, each different recording once."""
        with one_thread():
            rest = self.missing(lanes)
            first = self._first
            self._finished = len(self.inputs) - len(rest)
            self._compute(rest, lanes, progress)
        for row, key in enumerate(self.keys):
            if key and first[key] != row:
                self._repeat(row, first[key])
        if progress is not None:
            progress(len(self.inputs), len(self.inputs))

    @property
    def _first(self) -> dict[bytes, int]:
        """By key, the first row that has it."""
        return {key: row for row, key in reversed(list(enumerate(self.keys))) if key}

    def _find_keys(self, lanes: int) -> None:
        """Each file is hashed once, however many parts of it there are."""
        by_file: dict[Any, list[int]] = {}
        for row, clip in enumerate(self.inputs):
            if why := AUDIO.obstacle(clip):
                self.why[row] = why
            else:
                by_file.setdefault(clip.path or row, []).append(row)
        files = list(by_file.values())

        def lane(numbers: Iterator[int], stopped: Event) -> None:
            for number in numbers:
                rows = files[number]
                try:
                    whole = sound_key(self.inputs[rows[0]])
                except OSError as error:
                    self.why |= dict.fromkeys(rows, f"it cannot be read: {error.strerror}")
                    continue
                for row in rows:
                    self.keys[row] = sound_part_key(whole, self.inputs[row])

        run_lanes(lane, len(files), min(lanes, max(1, len(files))), lambda: None)

    def _look_up(self, rows: list[int]) -> list[int]:
        """Fill in what the stores hold; the rows that need more."""
        store = None if self.supply is None else self.supply.store
        for target, has, held in (
            (self.values, self.has_values, store),
            (self.thumbs, self.has_sketch, self.sketches),
        ):
            if held is not None and target is not None:
                lacking = [row for row in rows if not has[row]]
                missing = held.fill(target, lacking, [self.keys[row] for row in lacking])
                has[lacking] = True
                has[missing] = False
        return [row for row in rows if not (self.has_values[row] and self.has_sketch[row])]

    def _compute(self, rows: list[int], lanes: int, progress: Callable[[int, int], None] | None) -> None:
        supply = self.supply
        if supply is not None and supply.choice is None and not self.has_values[rows].all():
            supply.provide()  # engines are about to be timed, and nothing may run beside them
        batches = self._planned(rows)

        def lane(numbers: Iterator[int], stopped: Event) -> None:
            SoundLane(self, stopped).run(batches[number] for number in numbers)

        def watch() -> None:
            if supply is not None and supply.wanted.is_set() and not supply.ready.is_set():
                supply.provide()
            if progress is not None:
                progress(min(self._finished + self.computed, len(self.inputs)), len(self.inputs))

        if batches:
            run_lanes(lane, len(batches), min(lanes, len(batches)), watch)

    def _planned(self, rows: list[int]) -> list[list[int]]:
        """The longest first, so that no lane is left with one at the end."""
        form = self.preprocess
        if form is None:
            return [[row] for row in sorted(rows, key=lambda row: -self.inputs[row].seconds)]
        lengths = [max(form.min_samples, round(self.inputs[row].seconds * form.rate)) for row in rows]
        batches = plan(lengths, self.budget(form))
        return [[rows[at] for at in batch] for batch in reversed(batches)]

    def budget(self, form: SoundPreprocess) -> int:
        """Samples in a batch."""
        seconds = _SECONDS_ON_DEVICE if self.supply is not None and self.supply.on_device else _SECONDS
        return max(form.max_samples, seconds * form.rate)

    def _repeat(self, row: int, first: int) -> None:
        if first in self.why:
            self.why[row] = self.why[first]
        self.values[row] = self.values[first]
        if self.thumbs is not None:
            self.thumbs[row] = self.thumbs[first]


def open_sketches(session: Session) -> Store:
    """Where sketches are kept: the same for every backbone."""
    return session.store("thumbs", {"sketch": RECIPE}, width=WIDTH, dtype="float32", label="sketches of recordings")
