"""Features in the cache as rows that pass by in blocks: one shard is read, checked and let go after the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from headstart.errors import CacheError
from headstart.features.cache.store import Store
from headstart.tasks.task import Array

__all__ = ["StoredRows"]


class StoredRows:
    """Rows of a namespace by their keys, see `heads.streamed.RowBlocks`. A row whose key stands there several times
    comes as often.

    The order is that of the names of the shards. Raises CacheError where a row is not there, or no longer.
    """

    def __init__(self, store: Store, keys: Sequence[bytes]) -> None:
        self._store, self._count = store, len(keys)
        by_shard: dict[Path, list[tuple[int, int]]] = defaultdict(list)
        missing = 0
        for number, key in enumerate(keys):
            place = store.place(key)
            if place is None:
                missing += 1
            else:
                by_shard[place[0]].append((number, place[1]))
        if missing:
            raise CacheError(f"the cache lacks the features of {missing:,} of {len(keys):,} rows: extract them first")
        self._places = {path: np.array(by_shard[path], dtype=np.int64) for path in sorted(by_shard)}

    @property
    def width(self) -> int:
        """D."""
        return self._store.width

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        for path, places in self._places.items():
            values = self._store.read(path)
            if values is None:
                raise CacheError(
                    f"{path} is damaged, or was deleted meanwhile: the same command computes its rows again"
                )
            yield places[:, 0], values[places[:, 1]]
