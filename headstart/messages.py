"""How names are written in messages, and what a mistyped one may have meant."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Sequence

__all__ = ["by_name", "did_you_mean", "few", "label_of", "nearest", "nearest_hint", "shown"]


def shown(name: str) -> str:
    """The name as printable UTF-8: bytes of a file name that are none become \\xNN."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def label_of(folder: str) -> str:
    """A folder's name as a class label, in composed form (NFC), whichever form the file system stores."""
    return unicodedata.normalize("NFC", shown(folder))


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


def nearest(name: str, known: Iterable[str], *, count: int = 1, cutoff: float = 0.6) -> str:
    """The known names that look most like a mistyped one, with commas between them; "" where none does."""
    return ", ".join(difflib.get_close_matches(name, list(known), n=count, cutoff=cutoff))


def nearest_hint(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """ "; nearest: NAME", to stand in an error; "" where none is near."""
    near = nearest(name, known, cutoff=cutoff)
    return f"; nearest: {near}" if near else ""


def by_name(present: Sequence[str], names: Sequence[str]) -> str | None:
    """The first of `names` that is present, without regard to case."""
    folded = {name.strip().lower(): name for name in reversed(present)}
    return next((folded[name] for name in names if name in folded), None)
