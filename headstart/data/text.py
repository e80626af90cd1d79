"""Texts: one file a text, or a column of a table."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Sequence
from typing import Any

from headstart.data.encoding import Decoded, damage, decode
from headstart.data.targets import is_missing
from headstart.errors import DataError

__all__ = ["SUFFIXES", "empty_note", "find_texts", "is_text_name", "join_texts", "read_texts"]

SUFFIXES = frozenset({".txt"})


def is_text_name(name: str) -> bool:
    """Whether a file name ends as a text file's does."""
    return os.path.splitext(name)[1].lower() in SUFFIXES


def read_texts(paths: Iterable[str | os.PathLike[str]]) -> tuple[list[str], dict[int, str], list[str]]:
    """The text of each file, the rows whose file cannot be read (row -> why), and notes on their encodings.

    Each file has its own encoding. An empty file is an empty text.
    """
    texts: list[str] = []
    broken: dict[int, str] = {}
    readings: dict[str, list[str]] = {}
    for row, path in enumerate(paths):
        try:
            text, encoding, note = _read(path)
        except (OSError, DataError) as error:
            text, encoding, note = "", "", ""
            broken[row] = f"cannot be read: {error.strerror}" if isinstance(error, OSError) else str(error)
        texts.append(text)
        if note:
            readings.setdefault(encoding, []).append(note.removeprefix(f"encoding: {encoding} "))
    notes = [
        f"encoding: {len(whys)} of {len(texts)} files are {name} {whys[0]}" for name, whys in sorted(readings.items())
    ]
    return texts, broken, notes


def _read(path: str | os.PathLike[str]) -> Decoded:
    """Raises OSError where a file cannot be opened, DataError where it holds no whole text."""
    with open(path, "rb") as file:
        decoded = decode(file.read())
    if strange := damage(decoded.text):
        raise DataError(strange)
    return decoded


def find_texts(cells: Iterable[Any]) -> tuple[list[str], dict[int, str]]:
    """Cells as texts, and the rows without one: row -> why. An empty string is an empty text; None and NaN are none."""
    texts, broken = [], {}
    for row, cell in enumerate(cells):
        text = "" if cell is None or (not isinstance(cell, str) and is_missing(cell)) else str(cell)
        texts.append(text)
        if not isinstance(cell, str) and not text:
            broken[row] = "the text is missing"
        elif not _is_whole(text):
            broken[row] = "the text holds half a character (a lone surrogate)"
    return texts, broken


def join_texts(columns: Sequence[Iterable[Any]]) -> tuple[list[str], dict[int, str]]:
    """The texts of several columns, one line each; a missing one is an empty line, unless all are missing."""
    rows = list(zip(*columns, strict=True))
    missing = [all(not isinstance(cell, str) and is_missing(cell) for cell in row) for row in rows]
    lines = [find_texts(row)[0] for row in rows]
    return find_texts([None if gone else "\n".join(line) for gone, line in zip(missing, lines, strict=True)])


def empty_note(texts: Sequence[str], broken: Container[int]) -> list[str]:
    """A sentence that counts the empty texts, where there are some."""
    count = sum(not text.strip() and row not in broken for row, text in enumerate(texts))
    return [f"{count} texts are empty"] if count else []


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
