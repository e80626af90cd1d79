"""Texts, and other inputs that differ in length, through the lanes: prepared once (texts: tokenized), sorted by length,
batched by the sum of lengths, cached like pictures.

The plan of batches depends on nothing but the inputs that are not in the cache, and taking whole batches out of it
leaves the others as they are. Only whole batches are stored, so a run that was killed goes on to the same features.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from threading import Event
from typing import Any

import numpy as np

from headstart.backbones.backbone import Backbone
from headstart.data.content import content_key
from headstart.features.cache.session import Session
from headstart.features.engines.engine import Rows
from headstart.features.engines.provider import Supply
from headstart.features.features import Ints
from headstart.features.lanes import run_lanes
from headstart.features.under_way import UnderWay
from headstart.preprocessing.preprocess import Preprocess
from headstart.tasks.task import Array

__all__ = ["Items", "plan"]

_SHARD = 256


def plan(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Positions in batches, shortest first, each of at most `budget` tokens with padding, or of a single text.

    A batch ends where the next longer text does not fit, so that batches stay the same when others are taken out.
    """
    batches: list[list[int]] = []
    for position in sorted(range(len(lengths)), key=lambda position: lengths[position]):
        if not batches or (len(batches[-1]) + 1) * max(1, lengths[position]) > budget:
            batches.append([])
        batches[-1].append(position)
    return batches


class _Shards:
    """Inputs that are prepared, some hundred at a time: by row what is held, and how much was cut off."""

    def __init__(self, inputs: Sequence[Any], rows: list[int], preprocess: Preprocess) -> None:
        self._inputs, self._rows, self._preprocess = inputs, rows, preprocess
        self.prepared: dict[int, Array] = {}
        self.cut: dict[int, int] = {}

    def lane(self, numbers: Iterator[int], stopped: Event) -> None:
        for number in numbers:
            for row in self._rows[number * _SHARD : (number + 1) * _SHARD]:
                self.prepared[row], self.cut[row] = self._preprocess.prepare(self._inputs[row])


class Items:
    """One run over texts or the like, as arrays with a row for each input.

    values   (N, D) float32
    cut      (N,) tokens cut off
    keys     content keys; b"" where the input cannot be used
    why      by row, why it gave nothing
    """

    def __init__(self, inputs: Sequence[Any], session: Session, supply: Supply, backbone: Backbone) -> None:
        count = len(inputs)
        self.inputs = inputs
        self.thumbs = None
        self.values: Rows = np.empty((count, backbone.dim), np.float32)
        self.cut: Ints = np.zeros(count, np.int64)
        modality = backbone.modality
        self.why = {row: why for row, item in enumerate(inputs) if (why := modality.obstacle(item))}
        self.keys = [
            b"" if row in self.why else content_key(item, modality=modality) for row, item in enumerate(inputs)
        ]
        self.computed = 0
        self._supply = supply
        identity = {"fingerprint": backbone.fingerprint}
        self.cuts = session.store("cut", identity, width=1, dtype="int64", label=backbone.name)
        self._finished = len(self.why)

    def missing(self, lanes: int) -> list[int]:
        """The rows that have to be computed, each different text once; everything that can be found is looked up."""
        return self._look_up(sorted(self._first.values()))

    def planned(self, rows: list[int], preprocess: Preprocess, budget: int) -> list[list[int]]:
        """The batches in which a run computes these rows, the shortest first, where all of them are missing."""
        lengths = [preprocess.length(preprocess.prepare(self.inputs[row])[0]) for row in rows]
        return [[rows[at] for at in batch] for batch in plan(lengths, budget)]

    def run(self, preprocess: Preprocess | None, lanes: int, progress: Callable[[int, int], None] | None) -> None:
        """Everything that can be found is looked up; the lanes do the rest, each different text once."""
        if preprocess is None:
            return
        first = self._first
        rows = self.missing(lanes)
        self._finished += len(first) - len(rows)
        if rows:
            self._compute(rows, preprocess, lanes, progress)
        repeated = np.array([[row, first[key]] for row, key in enumerate(self.keys) if key and first[key] != row], int)
        if len(repeated):
            self.values[repeated[:, 0]] = self.values[repeated[:, 1]]
            self.cut[repeated[:, 0]] = self.cut[repeated[:, 1]]
        if progress is not None:
            progress(len(self.inputs), len(self.inputs))

    @property
    def _first(self) -> dict[bytes, int]:
        """By key, the first row that has it."""
        return {key: row for row, key in reversed(list(enumerate(self.keys))) if key}

    def _look_up(self, rows: list[int]) -> list[int]:
        """Fill in what is held; the rows that are not."""
        if self._supply.store is None:
            return rows
        keys = [self.keys[row] for row in rows]
        missing = self._supply.store.fill(self.values, rows, keys) + self.cuts.fill(self.cut, rows, keys)
        return sorted(set(missing))

    def _compute(
        self, rows: list[int], preprocess: Preprocess, lanes: int, progress: Callable[[int, int], None] | None
    ) -> None:
        prepared = self._prepared(rows, preprocess)
        engine = self._supply.engine
        if engine is None:
            return
        batches = [
            [rows[at] for at in batch]
            for batch in plan([preprocess.length(prepared[row]) for row in rows], engine.batch)
        ]
        batches.reverse()  # the longest first, so that no lane is left with one at the end

        shared = UnderWay(engine) if engine.flight else None

        def lane(numbers: Iterator[int], stopped: Event) -> None:
            under_way = shared or UnderWay(engine)
            given = (
                under_way.give(batches[number], *preprocess.collate([prepared[row] for row in batches[number]]))
                for number in numbers
            )
            fresh: list[int] = []
            try:
                for batch, values in chain(chain.from_iterable(given), under_way.rest()):
                    self.values[batch] = values
                    fresh += batch
                    if len(fresh) >= _SHARD:
                        self._keep(fresh)
                        fresh = []
            finally:
                self._keep(fresh)

        def watch() -> None:
            if progress is not None:
                progress(min(self._finished + self.computed, len(self.inputs)), len(self.inputs))

        run_lanes(lane, len(batches), min(lanes, len(batches)), watch, needs_watch=False)

    def _prepared(self, rows: list[int], preprocess: Preprocess) -> dict[int, Array]:
        """What is held of each row; meanwhile the engine gets ready, in this thread."""
        shards = _Shards(self.inputs, rows, preprocess)
        if self._supply.choice is None:  # engines are about to be timed, and nothing may run beside them
            self._supply.provide()

        def watch() -> None:
            if not self._supply.ready.is_set():
                self._supply.provide()

        run_lanes(shards.lane, -(-len(rows) // _SHARD), 1, watch)
        self.cut[rows] = [shards.cut[row] for row in rows]
        return shards.prepared

    def _keep(self, rows: list[int]) -> None:
        keys = [self.keys[row] for row in rows]
        self.cuts.put(keys, self.cut[rows])
        if self._supply.store is not None:
            self._supply.store.put(keys, self.values[rows])
        self.computed += len(rows)
