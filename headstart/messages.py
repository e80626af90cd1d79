"""How names and texts are written in messages, and what a mistyped name may have meant."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence

__all__ = [
    "by_name",
    "did_you_mean",
    "few",
    "label_of",
    "lasting",
    "nearest",
    "nearest_hint",
    "printable",
    "shown",
    "without_password",
]

_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNSEEN = frozenset("\u200b\u2060\ufeff")
_HIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})


def shown(name: str) -> str:
    """The name as printable UTF-8: bytes of a file name that are none become \\xNN."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def label_of(folder: str) -> str:
    """A folder's name as a class label, in composed form (NFC), whichever form the file system stores."""
    return unicodedata.normalize("NFC", shown(folder))


def lasting(seconds: float) -> str:
    """A time that need not be exact, in words: "40 s", "7 min", "2.5 h"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 100 * 60 else f"{seconds / 3600:.1f} h"


def few(names: Iterable[object], limit: int = 10) -> str:
    """Some names, and how many more there are."""
    listed = list(names)
    text = ", ".join(repr(name) for name in listed[:limit])
    return f"{text} and {len(listed) - limit} more" if len(listed) > limit else text


def did_you_mean(name: str, present: Iterable[str]) -> str:
    """A question that names the nearest of the present names; nothing where none is near."""
    folded = {candidate.lower(): candidate for candidate in present}
    near = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.5)
    return f" Did you mean {folded[near[0]]!r}?" if near else ""


def nearest(name: str, names: Iterable[str], *, count: int = 1, cutoff: float = 0.6) -> str:
    """The known names that look most like a mistyped one, with commas between them; "" where none does."""
    return ", ".join(difflib.get_close_matches(name, list(names), n=count, cutoff=cutoff))


def nearest_hint(name: str, names: Iterable[str], *, cutoff: float = 0.6) -> str:
    """ "; nearest: NAME", to stand in an error; "" where none is near."""
    near = nearest(name, names, cutoff=cutoff)
    return f"; nearest: {near}" if near else ""


def by_name(present: Sequence[str], names: Sequence[str]) -> str | None:
    """The first of `names` that is present, without regard to case."""
    folded = {name.strip().lower(): name for name in reversed(present)}
    return next((folded[name] for name in names if name in folded), None)


def printable(text: str, *, newlines: bool = True) -> str:
    """Text from data, made safe to show to a person: what is not seen, or acts on a terminal, written as Python would
    (\\x1b, \\u202e, \\udcff), so that no name or label moves the cursor, or colours or turns lines.

    newlines   whether line feeds stay; a name or label within a line has none
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if _is_shown(char, newlines) else _escaped(char) for char in text)


def without_password(text: str) -> str:
    """Words in which an address may stand, without the name and password before its host."""
    return re.sub(r"(?<=//)[^/\s]*@", "", text)


def _is_shown(char: str, newlines: bool) -> bool:
    if char == "\n":
        return newlines
    return char not in _TURNING and char not in _UNSEEN and unicodedata.category(char) not in _HIDDEN


def _escaped(char: str) -> str:
    return char.encode("unicode_escape", "backslashreplace").decode("ascii")
