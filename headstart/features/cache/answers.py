"""What contenders answered, looked up by all that it hangs on, so that a second fit of the same rows reads it.

    FOLDER/answers/NAMESPACE/KEY.npy   the arrays one after the other, and behind them the BLAKE3 of their bytes

A namespace is one contender at one version of its code, KEY a hash of everything that its answers follow from. Each
file is written whole or not at all, so that neither a run that is killed nor one beside it leaves half of one; one that
is damaged later does not match its own hash, is removed, and is computed again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from io import BytesIO
from os import utime
from pathlib import Path
from typing import Any

import numpy as np
from blake3 import blake3

from headstart.data.installed import installed_version
from headstart.features.cache.cache import ANSWERS, Cache
from headstart.features.cache.session import Session
from headstart.features.cache.shard import SUFFIX, write_file
from headstart.tasks.task import Array

__all__ = ["AnswerCache", "Entry", "Part"]

_HASH = 32
_LIBRARIES = ("headstart", "numpy", "scipy", "scikit-learn", "torch", "timm", "transformers")

Part = bytes | Sequence[bytes] | Array | Any
"""Something that answers follow from: bytes, a list of keys, an array of numbers, or what JSON holds."""


class AnswerCache:
    """Answers under what they follow from. What cannot be read or written is done without.

    cache   None: nothing is found and nothing is kept
    say     hears once that something could not be read or written
    """

    def __init__(self, cache: Cache | None, say: Callable[[str], None]) -> None:
        self._cache, self._say = cache, say
        self._told = False

    def recall(self, name: str, revision: int, parts: Sequence[Part], compute: Callable[[], Array]) -> Array:
        """The answers of a contender: those that were kept, or else computed now, to the same bits, and kept."""
        (answers,) = self.recall_all(name, revision, parts, lambda: (compute(),))
        return answers

    def recall_all(
        self, name: str, revision: int, parts: Sequence[Part], compute: Callable[[], tuple[Array, ...]]
    ) -> tuple[Array, ...]:
        """The same of a contender that tells more than its answers.

        name, revision   the contender, and a number that is raised by whoever changes what it answers
        parts            everything else that its answers follow from, in an order of its own
        """
        entry = self.entry(name, revision, parts)
        answers = entry.read()
        if answers is None:
            answers = compute()
            entry.write(answers)
        return answers

    def entry(self, name: str, revision: int, parts: Sequence[Part]) -> Entry:
        """The place of these answers, for a contender that computes them itself."""
        if self._cache is None:
            return Entry(None, None, self._say)
        session = Session(self._cache)
        about = {"contender": name, "revision": revision, "libraries": _versions()}
        folder = session.namespace(ANSWERS, about, name)
        return Entry(None if folder is None else folder / f"{_key(parts)}{SUFFIX}", session, self._tell)

    def _tell(self, note: str) -> None:
        if not self._told:
            self._told = True
            self._say(note)


class Entry:
    """Where the answers of one contender are kept, or would be.

    path, session   None where nothing is kept
    say             hears that something could not be read or written
    """

    def __init__(self, path: Path | None, session: Session | None, say: Callable[[str], None]) -> None:
        self._path, self._session, self._say = path, session, say

    def read(self) -> tuple[Array, ...] | None:
        """The answers; None where they are not there."""
        if self._path is None or self._session is None:
            self._finish()
            return None
        answers = _read(self._path, self._session)
        self._finish()
        return answers

    def write(self, answers: tuple[Array, ...]) -> None:
        """Keep them, where there is room."""
        if self._path is not None and self._session is not None:
            _write(self._path, answers, self._session)
        self._finish()

    def _finish(self) -> None:
        for note in () if self._session is None else self._session.finish()[:1]:
            self._say(f"  {note}")


def _read(path: Path, session: Session) -> tuple[Array, ...] | None:
    """The arrays in a file; None where there is none, and where it is damaged: it is then removed."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        session.trouble(error)
        return None
    body, digest = content[:-_HASH], content[-_HASH:]
    if blake3(body).digest() != digest:
        session.removed(path)
        return None
    with suppress(OSError):  # read-only, or gone: then there is nothing to note
        utime(path)
    buffer, arrays = BytesIO(body), []
    while buffer.tell() < len(body):
        arrays.append(np.asarray(np.load(buffer, allow_pickle=False)))
    return tuple(arrays)


def _write(path: Path, answers: tuple[Array, ...], session: Session) -> None:
    """Keep them, where there is room."""
    buffer = BytesIO()
    for array in answers:
        np.save(buffer, array, allow_pickle=False)
    body = buffer.getvalue()
    if session.has_room(len(body) + _HASH):
        try:
            write_file(path, body + blake3(body).digest())
        except OSError as error:
            session.trouble(error)


def _key(parts: Sequence[Part]) -> str:
    """32 hex digits, which differ where any part does."""
    hasher = blake3()
    for part in parts:
        for content in _content(part):
            hasher.update(len(content).to_bytes(8, "little"))
            hasher.update(content)
    return hasher.hexdigest(length=16)


def _content(part: Part) -> tuple[bytes, bytes]:
    """What kind of thing it is, and its bytes."""
    if isinstance(part, bytes):
        return b"bytes", part
    if isinstance(part, np.ndarray):
        if part.dtype.hasobject:
            raise TypeError(f"an array of {part.dtype} has no bytes of its own: expected numbers or truth values")
        return f"array {part.dtype.str} {part.shape}".encode(), np.ascontiguousarray(part).tobytes()
    if isinstance(part, list) and part and all(isinstance(item, bytes) for item in part):
        return f"list {[len(item) for item in part]}".encode(), b"".join(part)
    return b"json", json.dumps(part, sort_keys=True).encode()


@cache
def _versions() -> list[str]:
    """Of the libraries that answers are calculated by."""
    versions = {name: installed_version(name) for name in _LIBRARIES}
    return [f"{name} {number}" if number else f"no {name}" for name, number in versions.items()]
