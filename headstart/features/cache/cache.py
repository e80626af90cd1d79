"""The feature cache: what was computed once is looked up by content, across runs, processes and tasks.

    FOLDER/features/NAMESPACE/*.npy   rows of features (store.py, shard.py); thumbs/ and cut/ likewise
    FOLDER/answers/NAMESPACE/*.npy    what contenders answered, a file each (answers.py)
    FOLDER/*/NAMESPACE/about.json     what the namespace holds: backbone, engine, precision
    FOLDER/machine/*.json             what was measured on this machine (memory.py)
    FOLDER/runs/*.safetensors         where trainings stand that were killed (../checkpoint.py)
    FOLDER/seen.sqlite                the files that were read (files.py)

A run uses it through a `Session`.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from headstart.checks import at_least
from headstart.errors import CacheError
from headstart.features.cache.shard import KEY, SUFFIX
from headstart.features.place import default_folder, usable_folder

__all__ = ["ANSWERS", "KINDS", "MACHINE", "RUNS", "SEEN", "Cache", "Holding", "default_folder"]

ANSWERS = "answers"
KINDS = ("features", "thumbs", "cut", ANSWERS)
MACHINE = "machine"
RUNS = "runs"
SEEN = "seen.sqlite"
_HEADERS = 256


class Holding(NamedTuple):
    """What the cache holds of one namespace.

    label, engine, precision   of what was computed; "" where that is not known
    rows        how many; of answers, which are of many rows each, how many files
    last_used   in seconds since 1970, as `time.time` counts
    about       all that tells the namespace from others, as it is stored, for the reader
    """

    namespace: str
    kind: str
    label: str
    engine: str
    precision: str
    rows: int
    bytes: int
    last_used: float
    about: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As `headstart cache --json` prints it."""
        record = {key: getattr(self, key) for key in ("namespace", "kind", "about", "rows", "bytes", "last_used")}
        return record | {"about": dict(self.about)}


class Cache:
    """A folder of features, and what else is worth remembering.

    folder        default: $HEADSTART_CACHE, else the platform's own, else a temporary one, see `place`
    limit_bytes   shards least recently used are deleted beyond this; those of the current run stay
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None, *, limit_bytes: int = 20 * 2**30) -> None:
        at_least("limit_bytes", limit_bytes, 0, f", for example {20 * 2**30} (20 GiB)")
        self.folder = Path(folder) if folder is not None else usable_folder()
        self.limit_bytes = limit_bytes

    def __repr__(self) -> str:
        return f"Cache({str(self.folder)!r}, limit_bytes={self.limit_bytes})"

    def __str__(self) -> str:
        """What is held, a line a namespace."""
        holdings = self.describe()
        total = sum(holding.bytes for holding in holdings)
        lines = [f"{self.folder}: {total / 1e6:.1f} MB of at most {self.limit_bytes / 1e6:.0f} MB"]
        for holding in holdings:
            name = " ".join((holding.label, holding.engine, holding.precision)).strip()
            used = time.strftime("%Y-%m-%d %H:%M", time.localtime(holding.last_used))
            size = f"{holding.rows} rows, {holding.bytes / 1e6:.1f} MB"
            lines.append(f"{holding.namespace[:12]}  {holding.kind:8}  {size:24}  last used {used}  {name}")
        return "\n".join(lines)

    def describe(self) -> list[Holding]:
        """What is held, most recently used first. Empty where there is no cache yet."""
        holdings = [_holding(folder, kind) for kind in KINDS for folder in _folders(self.folder / kind)]
        return sorted(holdings, key=lambda holding: holding.last_used, reverse=True)

    def clear(self, namespace: str | None = None) -> int:
        """Delete everything, or one namespace by its name; the bytes freed.

        `CacheError` for a name that is not there, or where the files cannot be deleted.
        """
        folders = [folder for kind in KINDS for folder in _folders(self.folder / kind)]
        targets = [folder for folder in folders if namespace in (None, folder.name)]
        if namespace is None:
            targets += [self.folder / name for name in (*KINDS, MACHINE, RUNS, SEEN, f"{SEEN}-journal")]
        elif not targets:
            raise CacheError(f"{self.folder} holds no namespace {namespace!r}; `headstart cache` lists those it does")
        return sum(_delete(target) for target in targets)

    def all_shards(self) -> list[tuple[Path, os.stat_result]]:
        """Every shard of every namespace."""
        return [shard for kind in KINDS for folder in _folders(self.folder / kind) for shard in shards(folder)]


def shards(folder: Path) -> list[tuple[Path, os.stat_result]]:
    """The shards of a namespace that are there at this moment; other processes may be deleting some."""
    files = []
    for path in folder.glob(f"*{SUFFIX}"):
        try:
            files.append((path, path.stat()))
        except FileNotFoundError:
            continue
    return files


def _folders(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir()) if parent.is_dir() else []


def _holding(folder: Path, kind: str) -> Holding:
    """One namespace by its description, which may be missing or damaged, and by its files."""
    files = [status for _, status in shards(folder)]
    entries = len(files) if kind == ANSWERS else 0
    try:
        record = json.loads((folder / "about.json").read_bytes())
    except (OSError, ValueError):
        record = {}
    record = record if isinstance(record, dict) else {}
    row = KEY + record["width"] * np.dtype(record["dtype"]).itemsize if {"width", "dtype"} <= record.keys() else 0
    return Holding(
        namespace=folder.name,
        kind=kind,
        **{key: str(record.get(key, "")) for key in ("label", "engine", "precision")},
        rows=sum(max(0, status.st_size - _HEADERS) // row for status in files) if row else entries,
        bytes=sum(status.st_size for status in files),
        last_used=max((status.st_mtime for status in files), default=0.0),
        about=record,
    )


def _delete(path: Path) -> int:
    """The bytes freed."""
    try:
        if path.is_dir():
            size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
            shutil.rmtree(path)
        else:
            size = path.stat().st_size if path.is_file() else 0
            path.unlink(missing_ok=True)
    except OSError as error:
        raise CacheError(f"{path} cannot be deleted: {error}") from error
    return size
