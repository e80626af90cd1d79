"""Text from data, made safe to show to a person: no name or label may move the cursor, or colour or turn lines."""

from __future__ import annotations

import unicodedata

__all__ = ["printable"]

_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNSEEN = frozenset("\u200b\u2060\ufeff")
_HIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})


def printable(text: str, *, newlines: bool = True) -> str:
    """The text with what is not seen, or acts on a terminal, written as Python would: \\x1b, \\u202e, \\udcff.

    newlines   whether line feeds stay; a name or label within a line has none
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if _is_shown(char, newlines) else _escaped(char) for char in text)


def _is_shown(char: str, newlines: bool) -> bool:
    if char == "\n":
        return newlines
    return char not in _TURNING and char not in _UNSEEN and unicodedata.category(char) not in _HIDDEN


def _escaped(char: str) -> str:
    return char.encode("unicode_escape", "backslashreplace").decode("ascii")
