"""Texts: one file a text, or a column of a table."""

from __future__ import annotations

import codecs
import os
from collections.abc import Container, Iterable, Sequence
from typing import Any

from headstart.data.targets import is_missing

__all__ = ["SUFFIXES", "decode", "empty_note", "find_texts", "is_text_name", "join_texts", "read_texts"]

SUFFIXES = frozenset({".txt"})


def is_text_name(name: str) -> bool:
    """Whether a file name ends as a text file's does."""
    return os.path.splitext(name)[1].lower() in SUFFIXES


def decode(data: bytes) -> str:
    """UTF-8, or UTF-16 where a byte order mark says so, without the mark. Raises ValueError for other encodings."""
    try:
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            text = data.decode("utf-16")
        else:
            text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"byte 0x{data[error.start]:02x} at position {error.start}"
        raise ValueError(f"not {error.encoding.upper()} ({found}): save it as UTF-8") from error
    if "\0" in text:
        raise ValueError("holds NUL bytes: it is binary, or UTF-16 without its mark; save it as UTF-8")
    return text


def read_texts(paths: Iterable[str | os.PathLike[str]]) -> tuple[list[str], dict[int, str]]:
    """The text of each file, and the rows whose file cannot be read: row -> why. An empty file is an empty text."""
    texts, broken = [], {}
    for row, path in enumerate(paths):
        try:
            with open(path, "rb") as file:
                texts.append(decode(file.read()))
        except (OSError, ValueError) as error:
            texts.append("")
            broken[row] = f"cannot be read: {error.strerror}" if isinstance(error, OSError) else str(error)
    return texts, broken


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
