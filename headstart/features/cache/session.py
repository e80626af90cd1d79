"""One run's use of the cache. What cannot be read or written is done without, with a note; it never stops the run."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
from blake3 import blake3

from headstart.features.cache.cache import KINDS, MACHINE, SEEN, Cache
from headstart.features.cache.files import SeenFiles
from headstart.features.cache.memory import Memory
from headstart.features.cache.shard import write_file
from headstart.features.cache.store import Store

__all__ = ["Session", "measured_in"]

_STALE = 3600.0
_unsaved = Memory(None)


def measured_in(cache: Cache) -> None:
    """From here on this process looks up in a cache what was measured on this machine, also in runs that keep nothing
    else there."""
    global _unsaved
    _unsaved = Memory(cache.folder / MACHINE)


class Session:
    """The stores, files seen and measurements that one run looks into and adds to.

    cache   None: nothing is found and nothing is kept, but measurements, as long as this process lives
    """

    def __init__(self, cache: Cache | None) -> None:
        folder = cache.folder if cache is not None else None
        self.memory = Memory(folder / MACHINE) if folder is not None else _unsaved
        self.seen = SeenFiles(folder / SEEN if folder is not None else None, self.trouble)
        self._cache = cache
        self._stores: list[Store] = []
        self._notes: list[str] = []
        self._removed = 0
        self._size: int | None = None
        self._lock = Lock()
        if folder is not None:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                self.trouble(error)

    def store(self, kind: str, identity: dict[str, Any], *, width: int, dtype: npt.DTypeLike, label: str = "") -> Store:
        """The rows of one kind ("features", "thumbs" or "cut") that `identity` tells apart from others of its kind.

        label   what to call them in a list
        """
        record = identity | {"width": width, "dtype": np.dtype(dtype).name}
        folder = self.namespace(kind, record, label)
        store = Store(folder, width, dtype, room=self.has_room, trouble=self.trouble)
        self._stores.append(store)
        return store

    def namespace(self, kind: str, record: dict[str, Any], label: str) -> Path | None:
        """The folder of what `record` tells apart from others of its kind, made and described; None without a cache."""
        if self._cache is None:
            return None
        name = blake3(json.dumps(record, sort_keys=True).encode()).hexdigest(length=16)
        folder = self._cache.folder / kind / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / "about.json").is_file():
                write_file(folder / "about.json", json.dumps({"label": label} | record, indent=1).encode())
        except OSError as error:
            self.trouble(error)
        return folder

    def finish(self) -> tuple[str, ...]:
        """End the run: note what was used, keep within the limit, and say what went wrong, in words."""
        for store in self._stores:
            if self._size is not None:
                store.merge()
            store.touch()
        if self._size is not None:
            with self._lock:
                self._trim(0)
        damaged = self._removed + sum(store.damaged for store in self._stores)
        if damaged:
            self._notes.append(f"cache: {damaged} damaged file{'s' * (damaged > 1)} removed, the rows computed again")
        return tuple(dict.fromkeys(self._notes))

    def has_room(self, size: int) -> bool:
        """Whether so many bytes more fit under the limit, making room where something old can go."""
        if self._cache is None:
            return False
        with self._lock:
            if self._size is None or self._size + size > self._cache.limit_bytes:
                self._trim(size)
            fits = (self._size or 0) + size <= self._cache.limit_bytes
            if fits:
                self._size = (self._size or 0) + size
            else:
                limit = self._cache.limit_bytes / 2**20
                self._notes.append(f"cache: full at its limit of {limit:.0f} MiB; not all of this run is kept")
            return fits

    def _trim(self, extra: int) -> None:
        """Delete the shards least recently used until `extra` bytes more fit, and what killed runs left behind."""
        if self._cache is None:
            return
        in_use = {path for store in self._stores for path in store.used}
        shards = sorted(self._cache.all_shards(), key=lambda shard: shard[1].st_mtime)
        total = sum(status.st_size for _, status in shards)
        try:
            for path, status in shards:
                if total + extra > self._cache.limit_bytes and path not in in_use:
                    path.unlink(missing_ok=True)
                    total -= status.st_size
            for path in (path for kind in KINDS for path in (self._cache.folder / kind).glob("*/.*.tmp")):
                if time.time() - path.stat().st_mtime > _STALE:
                    path.unlink(missing_ok=True)
        except OSError as error:
            self.trouble(error)
        self._size = total

    def removed(self, path: Path) -> None:
        """Delete a file that is not what it should be, and count it."""
        self._removed += 1
        with suppress(OSError):  # in a read-only folder it stays, and is passed over each time
            path.unlink(missing_ok=True)

    def trouble(self, error: Exception) -> None:
        """Take note of what could not be read or written."""
        where = self._cache.folder if self._cache is not None else ""
        self._notes.append(f"cache: {where} cannot be fully used ({error}); the run goes on without")
