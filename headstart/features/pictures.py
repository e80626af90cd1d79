"""Pictures through the lanes: read, recognise, decode, prepare, run, keep; each picture once, in one thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from threading import Event, Lock
from typing import Any, cast

import numpy as np

from headstart.data.bit_depth import Window
from headstart.errors import DataError
from headstart.features.batcher import Batcher
from headstart.features.cache.files import Sight
from headstart.features.cache.session import Session
from headstart.features.cache.store import Store
from headstart.features.engines.engine import Rows
from headstart.features.engines.provider import Supply
from headstart.features.held_pixels import HeldPixels
from headstart.features.lanes import run_lanes
from headstart.features.picture_input import Source, drafted, path_of
from headstart.features.under_way import Finished
from headstart.preprocessing.pillow import Unscaled
from headstart.preprocessing.prepare import RECIPE, THUMB, Pixels, prepare, thumbnail
from headstart.preprocessing.preprocess import Preprocess
from headstart.preprocessing.spec import PicturePreprocess

__all__ = ["Pictures", "open_thumbs"]

_PIECE = 8
_SHARD = 128
_AHEAD = 64 << 20
_AHEAD_OF_DEVICE = 512 << 20


class Pictures:
    """One run over pictures, as arrays with a row for each input.

    values   (N, D) float32, where a `supply` of an engine is given
    thumbs   (N, 32, 32, 3) uint8, where a store for them is given
    keys     content keys; b"" where the input could not be read
    why      by row, why it gave nothing
    """

    def __init__(
        self,
        inputs: Sequence[Any],
        session: Session,
        *,
        supply: Supply | None,
        dim: int,
        thumbs: Store | None,
        window: Window | None = None,
        pixels: HeldPixels | None = None,
    ) -> None:
        count = len(inputs)
        self.inputs = inputs
        self.values: Rows = np.empty((count, dim), np.float32)
        self.cut = None
        self.thumbs: Pixels | None = None if thumbs is None else np.empty((count, THUMB, THUMB, 3), np.uint8)
        self.keys = [b""] * count
        self.why: dict[int, str] = {}
        self.computed = 0
        self.supply = supply
        self.thumb_store = thumbs
        self.window = window
        self.pixels = pixels
        self.seen = session.seen
        self.has_values = np.full(count, supply is None)
        self.has_thumb = np.full(count, thumbs is None)
        self.lock = Lock()
        self._shared: Batcher | None = None

    @property
    def done(self) -> int:
        """How many inputs are finished, well or badly."""
        return int((self.has_values & self.has_thumb).sum()) + len(self.why)

    def missing(self, lanes: int) -> list[int]:
        """The rows that have to be read, and mostly computed; everything that can be found is looked up."""
        self._recall()
        return self._look_up(range(len(self.inputs)))

    def planned(self, rows: list[int], preprocess: Preprocess, budget: int) -> list[list[int]]:
        """Some rows at a time: all batches are of one size, and a row is the same numbers in any."""
        return [rows[at : at + budget] for at in range(0, len(rows), budget)]

    def run(self, preprocess: Preprocess | None, lanes: int, progress: Callable[[int, int], None] | None) -> None:
        """Everything that can be found is looked up; the lanes do the rest."""
        rest = self.missing(lanes)
        while rest:
            pieces = [rest[at : at + _PIECE] for at in range(0, len(rest), _PIECE)]
            some = min(lanes, len(pieces))
            lane = partial(self._lane, pieces, cast(PicturePreprocess | None, preprocess), some)
            self._shared = None
            ready = self.supply is None or self.supply.ready.is_set()
            run_lanes(lane, len(pieces), some, partial(self._watch, progress), needs_watch=not ready)
            rest = self._look_up(rest)
        self._watch(progress)

    def _lane(
        self,
        pieces: list[list[int]],
        preprocess: PicturePreprocess | None,
        lanes: int,
        numbers: Iterator[int],
        stopped: Event,
    ) -> None:
        belt = _Belt(self, preprocess, self._batcher(preprocess, lanes, stopped))
        try:
            for number in numbers:
                for row in pieces[number]:
                    belt.take(row)
            belt.finish()
        finally:
            belt.keep()

    def _batcher(self, preprocess: PicturePreprocess | None, lanes: int, stopped: Event) -> Batcher | None:
        """Of a lane, one of so many; on a device the same for all, see `Batcher`."""
        supply = self.supply
        if supply is None or preprocess is None:
            return None
        size = 3 * preprocess.size[0] * preprocess.size[1]
        if not supply.on_device:
            return Batcher(supply, stopped, max(1, _AHEAD // lanes // size))
        with self.lock:
            if self._shared is None:
                self._shared = Batcher(supply, stopped, max(1, _AHEAD_OF_DEVICE // size), lanes)
            return self._shared

    def _recall(self) -> None:
        """What is known of files that have not changed since."""
        rows = [row for row, item in enumerate(self.inputs) if path_of(item) is not None]
        sights = self.seen.find([str(self.inputs[row]) for row in rows])
        for at, sight in sights.items():
            self.keys[rows[at]] = sight.key
            if sight.why:
                self.why[rows[at]] = sight.why

    def _look_up(self, rows: Sequence[int]) -> list[int]:
        """Fill in what the stores hold under known keys; the rows that need more, in their order."""
        store = self.supply.store if self.supply is not None else None
        for target, has, cache_store in (
            (self.values, self.has_values, store),
            (self.thumbs, self.has_thumb, self.thumb_store),
        ):
            if cache_store is not None and target is not None:
                lacking = [row for row in rows if not has[row] and self.keys[row] and row not in self.why]
                missing = cache_store.fill(target, lacking, [self.keys[row] for row in lacking])
                has[lacking] = True
                has[missing] = False
        return [row for row in rows if row not in self.why and not (self.has_values[row] and self.has_thumb[row])]

    def _watch(self, progress: Callable[[int, int], None] | None) -> None:
        if self.supply is not None and self.supply.wanted.is_set() and not self.supply.ready.is_set():
            self.supply.provide()
        if progress is not None:
            progress(self.done, len(self.inputs))


class _Belt:
    """One lane: pictures wait here for the engine, and results for their shard."""

    def __init__(self, run: Pictures, preprocess: PicturePreprocess | None, batcher: Batcher | None) -> None:
        self._run = run
        self._preprocess = preprocess
        self._batcher = batcher
        self._fresh: list[int] = []
        self._fresh_thumbs: list[int] = []
        self._sights: list[Sight] = []

    def take(self, row: int) -> None:
        """Read one input; decode it unless all that is wanted of it is held already."""
        run = self._run
        source: Source | None = None
        try:
            if not self._take_held(row):
                source = Source(run.inputs[row])
                run.keys[row] = source.key
                self._prepare(row, source)
        except DataError as error:
            run.why[row] = str(error)
            if not isinstance(error, Unscaled):
                self._note(source, str(error))
        else:
            self._note(source, "")
        if self._batcher is not None:
            self._take_in(self._batcher.run())
        self._keep_full()

    def finish(self) -> None:
        """Run what still waits."""
        if self._batcher is not None:
            self._take_in(self._batcher.finish())

    def _take_held(self, row: int) -> bool:
        """Whether this picture was prepared in an earlier pass, and that is all that is wanted of it."""
        run, store = self._run, self._run.supply.store if self._run.supply is not None else None
        key = run.keys[row]
        if run.pixels is None or self._preprocess is None or self._batcher is None or not run.has_thumb[row]:
            return False
        if not key or run.has_values[row] or (store is not None and key in store):
            return False
        pixels = run.pixels.find(key, self._preprocess)
        if pixels is None:
            return False
        with run.lock:
            run.computed += 1
        self._batcher.add(row, pixels)
        return True

    def _prepare(self, row: int, source: Source) -> None:
        if self._take_held(row):
            return
        run, store = self._run, self._run.supply.store if self._run.supply is not None else None
        wants_values = not run.has_values[row] and not (store is not None and source.key in store)
        wants_thumb = not run.has_thumb[row] and not (run.thumb_store is not None and source.key in run.thumb_store)
        if not (wants_values or wants_thumb):
            return
        picture = source.decode(draft=drafted(self._preprocess), window=run.window)
        with run.lock:
            run.computed += 1
        if wants_values and self._preprocess is not None and self._batcher is not None:
            pixels = prepare(picture, self._preprocess)
            if run.pixels is not None:
                pixels = run.pixels.hold(source.key, self._preprocess, pixels)
            self._batcher.add(row, pixels)
        if wants_thumb and run.thumbs is not None:
            run.thumbs[row] = thumbnail(picture)
            run.has_thumb[row] = True
            self._fresh_thumbs.append(row)

    def _note(self, source: Source | None, why: str) -> None:
        sight = source.sight(why) if source is not None else None
        if sight is not None:
            self._sights.append(sight)

    def _take_in(self, finished: Finished) -> None:
        run = self._run
        for rows, values in finished:
            run.values[rows] = values
            run.has_values[rows] = True
            self._fresh.extend(rows)
            self._keep_full()  # many batches follow each other here where pictures waited for the engine

    def _keep_full(self) -> None:
        if max(len(self._fresh), len(self._fresh_thumbs), len(self._sights)) >= _SHARD:
            self.keep()

    def keep(self) -> None:
        """Store what is fresh."""
        run = self._run
        store = run.supply.store if run.supply is not None else None
        if store is not None:
            store.put([run.keys[row] for row in self._fresh], run.values[self._fresh])
        if run.thumb_store is not None and run.thumbs is not None:
            run.thumb_store.put([run.keys[row] for row in self._fresh_thumbs], run.thumbs[self._fresh_thumbs])
        run.seen.add(self._sights)
        self._fresh, self._fresh_thumbs, self._sights = [], [], []


def open_thumbs(session: Session, window: Window | None) -> Store:
    """Where thumbnails are kept: the same for every backbone that sees pictures of more than 8 bits alike."""
    identity = {"size": THUMB, "recipe": RECIPE} | ({} if window is None else {"window": list(window)})
    return session.store("thumbs", identity, width=THUMB * THUMB * 3, dtype="uint8", label="thumbnails")
