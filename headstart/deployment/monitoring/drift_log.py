"""The log of drift: a line of JSON for each window, with sums and counts and never an input.

A line is written in one piece at the end of the file, so that a process that is killed leaves at most half a last line,
which is passed over when the file is read, and ended when it is written on. Several processes may write. A file of more
than `LARGEST` bytes becomes FILE.1, in the place of an older one: there are never more than two.

A window of fewer than `FEWEST` rows is not written: the sum of one row is that row.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from headstart.deployment.monitoring.drift import FEWEST, Sums
from headstart.errors import DataError
from headstart.tasks.task import Array

__all__ = ["FORMAT", "LARGEST", "DriftLog", "Logged", "Windows", "is_log", "read_log"]

FORMAT = "headstart-drift"
LARGEST = 8 << 20


class Logged(NamedTuple):
    """A window: from when to when, UTC as ISO 8601 writes it, of which model, and its sums."""

    began: str
    ended: str
    model: str
    sums: Sums


class Windows(NamedTuple):
    """What a log holds.

    windows   of the model that was asked for, in the order of their end
    others    how many are of other models
    damaged   how many lines are no windows
    """

    windows: tuple[Logged, ...]
    others: int
    damaged: int


class DriftLog:
    """A file to write windows to. OSError where it cannot be written, DataError where it is something else."""

    def __init__(self, path: str | os.PathLike[str], largest: int = LARGEST) -> None:
        self.path, self.largest = Path(path), largest
        with _locked(self.path) as file:
            beginning = os.pread(file, len(FORMAT) + 64, 0) if os.name == "posix" else self.path.read_bytes()[:64]
        if beginning and FORMAT.encode() not in beginning:
            raise DataError(f"{self.path} is not a log of drift: give a file that is not there yet")

    def write(self, window: Logged) -> bool:
        """At the end; False for a window of too few rows, which is not written."""
        if window.sums.rows < FEWEST:
            return False
        line = (json.dumps(_record(window), separators=(",", ":")) + "\n").encode()
        with _locked(self.path) as file:
            size = os.fstat(file).st_size
            if size and size + len(line) > self.largest:
                os.replace(self.path, _earlier(self.path))
            elif size:
                _write(file, (b"" if _ends_a_line(self.path) else b"\n") + line)
                return True
        with _locked(self.path) as file:
            _write(file, line)
        return True


def is_log(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a log of drift, by its beginning."""
    path = Path(path)
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return FORMAT.encode() in file.read(len(FORMAT) + 64)


def read_log(path: str | os.PathLike[str], model: str) -> Windows:
    """The windows of a model, by its fingerprint, with those of the file before it. DataError where there are none."""
    path = Path(path)
    if not path.is_file():
        raise DataError(f"there is no log at {path}: `headstart serve MODEL --drift-log {path}` writes one")
    lines = [line for file in (_earlier(path), path) if file.is_file() for line in _lines(file)]
    if not lines:
        raise DataError(f"{path} is empty: no window of {FEWEST} rows or more was served yet")
    windows, damaged = [], 0
    for line in lines:
        window = _window(line)
        if window is None:
            damaged += 1
        else:
            windows.append(window)
    if not windows:
        raise DataError(f"{path} is not a log of drift: none of its {len(lines):,} lines is a window")
    own = [window for window in windows if window.model == model]
    if not own:
        names = ", ".join(sorted({window.model for window in windows})[:3])
        raise DataError(f"{path} is the log of another model ({names}), and this one is {model}")
    return Windows(tuple(sorted(own, key=lambda window: window.ended)), len(windows) - len(own), damaged)


def _record(window: Logged) -> dict[str, Any]:
    sums = window.sums
    features = None if sums.features is None else base64.b64encode(sums.features.astype("<f8").tobytes()).decode()
    return {
        "format": FORMAT,
        "model": window.model,
        "began": window.began,
        "ended": window.ended,
        "rows": sums.rows,
        "strange": sums.strange,
        "decided": None if sums.decided is None else sums.decided.tolist(),
        "features": features,
    }


def _window(line: bytes) -> Logged | None:
    """None for a line that is no window."""
    try:
        record = json.loads(line)
        if record["format"] != FORMAT:
            return None
        rows, decided, strange = record["rows"], record["decided"], record["strange"]
        features = None if record["features"] is None else _features(record["features"])
        sums = Sums(
            rows=rows,
            features=features,
            strange=strange,
            decided=None if decided is None else np.array(decided, dtype=np.int64),
        )
        texts = (record["began"], record["ended"], record["model"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    return Logged(*texts, sums) if all(isinstance(text, str) for text in texts) and _is_sound(sums) else None


def _features(text: str) -> Array:
    try:
        return np.frombuffer(base64.b64decode(text, validate=True), "<f8").astype(np.float64)
    except binascii.Error as error:
        raise ValueError(str(error)) from error


def _is_sound(sums: Sums) -> bool:
    """Whether sums can be of so many rows."""
    if type(sums.rows) is not int or sums.rows < FEWEST:
        return False
    if sums.strange is not None and not (type(sums.strange) is int and 0 <= sums.strange <= sums.rows):
        return False
    if sums.decided is not None:
        counts = sums.decided
        if counts.ndim != 1 or not len(counts) or counts.min() < 0 or counts.max() > sums.rows:
            return False
    return sums.features is None or bool(np.isfinite(sums.features).all() and np.abs(sums.features).max() <= sums.rows)


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        for line in file:
            if line.strip():
                yield line


def _earlier(path: Path) -> Path:
    return path.with_name(path.name + ".1")


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _write(file: int, data: bytes) -> None:
    """In one piece where the disk takes it."""
    while data:
        data = data[os.write(file, data) :]


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[int]:
    """The file that is at `path`, for one process at a time, to write at its end."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        try:
            _lock(file)
            status = os.fstat(file)
            if _is_at(path, status):  # it may have been renamed by another process meanwhile
                yield file
                return
        finally:
            os.close(file)


def _is_at(path: Path, status: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(path), status)
    except FileNotFoundError:
        return False


def _lock(file: int) -> None:
    """Until it is closed; where there are no such locks, one process is to write."""
    if os.name == "posix":
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)
