"""One namespace of the cache: rows of one width and type, found by the content key of the input they came from."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from headstart.features.cache.shard import KEY, SUFFIX, Damaged, read_keys, read_shard, write_shard
from headstart.tasks.task import Array

__all__ = ["Store"]

_SMALL = 32
_MANY = 64


class _Place(NamedTuple):
    shard: Path
    row: int


class Store:
    """Rows under their keys. Safe in threads, and beside other processes that use the same folder.

    folder   where the shards lie; None stores nothing and finds nothing
    room     asked before a shard of so many bytes is written
    trouble  told where the folder cannot be written; nothing more is stored then
    damaged  how many shards did not match their names and were removed
    """

    def __init__(
        self,
        folder: Path | None,
        width: int,
        dtype: npt.DTypeLike,
        *,
        room: Callable[[int], bool],
        trouble: Callable[[Exception], None],
    ) -> None:
        self.folder = folder
        self.width = width
        self.dtype = np.dtype(dtype)
        self.damaged = 0
        self.used: set[Path] = set()
        self._room = room
        self._trouble = trouble
        self._writable = folder is not None
        self._index: dict[bytes, _Place] = {}
        self._lock = Lock()
        if folder is not None and folder.is_dir():
            for path in sorted(folder.glob(f"*{SUFFIX}")):
                self._add(path)

    def __contains__(self, key: bytes) -> bool:
        return key in self._index

    def __len__(self) -> int:
        return len(self._index)

    def place(self, key: bytes) -> tuple[Path, int] | None:
        """The shard that holds the value of a key, and its row there; None where it is not here."""
        return self._index.get(key)

    def put(self, keys: Sequence[bytes], values: Array) -> None:
        """Store values (n, width)."""
        if self.folder is None or not self._writable or not len(keys):
            return
        rows = np.ascontiguousarray(values.reshape(len(keys), self.width), dtype=self.dtype)
        if not self._room(rows.nbytes + KEY * len(keys)):
            return
        try:
            path = write_shard(self.folder, np.frombuffer(b"".join(keys), np.uint8).reshape(-1, KEY), rows)
        except OSError as error:
            self._writable = False
            self._trouble(error)
            return
        with self._lock:
            self.used.add(path)
            self._index.update({key: _Place(path, row) for row, key in enumerate(keys)})

    def fill(self, out: Array, rows: Sequence[int], keys: Sequence[bytes]) -> list[int]:
        """Set out[row] to the value of its key; the rows whose value is not here, in their order.

        One shard is in memory at a time. A damaged one is removed and counted, and its keys are forgotten.
        """
        wanted: dict[Path, list[tuple[int, int]]] = defaultdict(list)
        missing: list[int] = []
        for row, key in zip(rows, keys, strict=True):
            place = self._index.get(key)
            if place is None:
                missing.append(row)
            else:
                wanted[place.shard].append((row, place.row))
        flat = out.reshape(len(out), self.width)
        for path, pairs in wanted.items():
            values = self.read(path)
            if values is None:
                missing.extend(row for row, _ in pairs)
            else:
                out_rows, shard_rows = np.array(pairs).T
                flat[out_rows] = values[shard_rows]
        return sorted(missing)

    def touch(self) -> None:
        """Note the time of use on every shard that was read, so that the others go first."""
        for path in self.used:
            with suppress(OSError):  # read-only, or gone: then there is nothing to note
                os.utime(path)

    def merge(self) -> None:
        """Put small shards together, as many short runs leave them behind. Processes that still look for one of them
        find it gone and compute its rows again."""
        rows: dict[Path, dict[bytes, int]] = defaultdict(dict)
        for key, place in self._index.items():
            rows[place.shard][key] = place.row
        small = [path for path, entries in rows.items() if len(entries) < _SMALL]
        if len(small) < _MANY or not self._writable:
            return
        read = {path: values for path in small if (values := self.read(path)) is not None}
        if not read:
            return
        keys = [key for path in read for key in rows[path]]
        self.put(keys, np.concatenate([values[list(rows[path].values())] for path, values in read.items()]))
        for path in read:
            if self._index[next(iter(rows[path]))].shard != path:
                self.used.discard(path)
                with suppress(OSError):  # then it is merged again next time
                    path.unlink()

    def _add(self, path: Path) -> None:
        try:
            keys = read_keys(path, self.width, self.dtype)
        except Damaged:
            self._drop(path)
        except OSError:  # another process removed it since it was listed
            return
        else:
            self._index.update({key: _Place(path, row) for row, key in enumerate(keys)})

    def read(self, path: Path) -> Array | None:
        """The values of a shard; None where it is damaged, and then removed, or gone."""
        try:
            values = read_shard(path)
            if values.ndim != 2 or values.shape[1] != self.width or values.dtype != self.dtype:
                raise Damaged(path.name)
        except Damaged:
            self._drop(path)
        except OSError:  # another process removed it since it was listed
            self._forget(path)
        else:
            self.used.add(path)
            return values
        return None

    def _drop(self, path: Path) -> None:
        self.damaged += 1
        self._forget(path)
        with suppress(OSError):  # in a read-only folder it stays, and is passed over each time
            path.unlink(missing_ok=True)

    def _forget(self, path: Path) -> None:
        with self._lock:
            self._index = {key: place for key, place in self._index.items() if place.shard != path}
