"""What was seen of each file: its content key, or why it is no picture, as long as the file is the same.

A file is taken to be the same while its path, size, times of modification and change, and inode are. A second run
therefore stats the files and opens none of them.
"""

from __future__ import annotations

import os
import sqlite3
import struct
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from threading import Lock
from typing import NamedTuple, TypeVar

from blake3 import blake3

from headstart.data.installed import installed_version

__all__ = ["SeenFiles", "Sight", "stamp"]

Result = TypeVar("Result")

_BATCH = 500
_SECOND = 1_000_000_000


class Sight(NamedTuple):
    """One file as it was seen: its content key, and why it cannot be decoded ("" where it can)."""

    path: str
    stamp: bytes
    key: bytes
    why: str = ""


class SeenFiles:
    """A table of files in SQLite. Where it cannot be read or written, nothing is known and `trouble` is told.

    path   the database; a damaged one is deleted and begun anew. None knows nothing and stores nothing
    """

    def __init__(self, path: Path | None, trouble: Callable[[Exception], None]) -> None:
        self._path = path
        self._trouble = trouble
        self._lock = Lock()

    def find(self, paths: Sequence[str]) -> dict[int, Sight]:
        """By position in `paths`, what is known of the files that are still the same."""
        if self._path is None or not self._path.is_file():
            return {}
        marks = {row: (_name(path), stamp(status)) for row, path in enumerate(paths) if (status := _stat(path))}
        records = self._run(lambda table: _select(table, list({name for name, _ in marks.values()}))) or {}
        sights = {}
        for row, (name, mark) in marks.items():
            then, key, why = records.get(name, (b"", b"", ""))
            if then == _mark(mark, why):
                sights[row] = Sight(paths[row], mark, key, why)
        return sights

    def add(self, sights: Iterable[Sight]) -> None:
        """Remember these files."""
        rows = [(_name(sight.path), _mark(sight.stamp, sight.why), sight.key, sight.why) for sight in sights]
        if self._path is not None and rows:
            self._run(lambda table: table.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", rows))

    def _run(self, action: Callable[[sqlite3.Connection], Result]) -> Result | None:
        """What it gives, done in one transaction; None, and the trouble is told, where it could not be done."""
        if self._path is None:
            return None
        with self._lock:
            try:
                with closing(_connect(self._path)) as table, table:
                    return action(table)
            except sqlite3.OperationalError as error:  # read-only, locked for long, or the disk is full
                self._trouble(error)
            except sqlite3.DatabaseError as error:
                self._trouble(error)
                with suppress(OSError):  # in a read-only folder it stays, and is passed over each time
                    self._path.unlink(missing_ok=True)
        return None


def _connect(path: Path) -> sqlite3.Connection:
    table = sqlite3.connect(path, timeout=10)
    # Nothing here is worth a wait for the disk: after a power cut a damaged table is begun anew.
    table.execute("PRAGMA synchronous = OFF")
    table.execute(
        "CREATE TABLE IF NOT EXISTS files "
        "(name BLOB PRIMARY KEY, stamp BLOB NOT NULL, key BLOB NOT NULL, why TEXT NOT NULL) WITHOUT ROWID"
    )
    return table


def _select(table: sqlite3.Connection, names: list[bytes]) -> dict[bytes, tuple[bytes, bytes, str]]:
    rows: dict[bytes, tuple[bytes, bytes, str]] = {}
    for at in range(0, len(names), _BATCH):
        some = names[at : at + _BATCH]
        places = ",".join("?" * len(some))
        query = f"SELECT name, stamp, key, why FROM files WHERE name IN ({places})"  # noqa: S608
        rows.update((name, (mark, key, why)) for name, mark, key, why in table.execute(query, some))
    return rows


def stamp(status: os.stat_result, *, settled_at: float | None = None) -> bytes:
    """The marks by which a file is taken to be the same.

    settled_at   a time in seconds; b"" if the file changed so shortly before it that another change might leave no
                 mark: file systems count time in steps of some milliseconds, and some in seconds
    """
    if settled_at is not None:
        latest = max(status.st_mtime_ns, status.st_ctime_ns)
        step = 2 * _SECOND if status.st_mtime_ns % _SECOND == 0 else _SECOND // 20
        if settled_at * _SECOND - latest < step:
            return b""
    return struct.pack("<qqqQQ", status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev)


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except (OSError, ValueError):  # what cannot be found is reported when it is opened
        return None


def _name(path: str) -> bytes:
    return blake3(os.path.abspath(path).encode("utf-8", "surrogatepass")).digest(16)


def _mark(stamp: bytes, why: str) -> bytes:
    """A picture that could not be read is tried again once the libraries that failed on it have changed."""
    return stamp + _decoders() if why else stamp


@cache
def _decoders() -> bytes:
    return f"{installed_version('torchvision')} {installed_version('Pillow')}".encode()
