"""One label, one spelling: what nobody sees does not make a class of its own.

In labels of every format, in those of groups and domains too, what is invisible is left out (zero width space, byte
order mark, soft hyphen, marks of direction; joiners too, unless they stand between letters that they join), any run of
spaces, no-break spaces, tabs and line breaks is one space, none stands at either end, and an accent is part of its
letter (NFC). What can be seen is kept: labels that differ only in case, width or punctuation are told by the check.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ["fold", "folded", "likeness"]

INVISIBLE = re.compile(
    "[\u00ad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
    "|(?<![^\u0000-\u02ff])[\u200c\u200d]|[\u200c\u200d](?![^\u0000-\u02ff])"
)
AT_THE_ENDS = " \"'.,;:!?"


def fold(label: str) -> str:
    """The label as everybody sees it."""
    return label if label.isascii() and label.isalnum() else _fold(label)


def folded(values: Sequence[Any], what: str = "labels") -> tuple[list[Any], list[str]]:
    """Values, or lists of them, with every string folded; and a note that counts the cells that changed, if any did."""
    result = [_folded(value) for value in values]
    changed = Counter(change for pair in zip(values, result, strict=True) for change in _changes(*pair))
    if not changed:
        return result, []
    examples = ", ".join(f"{before!r:.60} -> {after!r:.60}" for (before, after), _ in changed.most_common(3))
    more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
    return result, [f"{what}: in {changed.total():,} cells spaces or invisible characters are folded: {examples}{more}"]


def _folded(value: Any) -> Any:
    if isinstance(value, list):
        return [_folded(part) for part in value]
    return fold(value) if isinstance(value, str) else value


def _changes(before: Any, after: Any) -> Iterator[tuple[str, str]]:
    """The strings that folding changed, before and after."""
    if isinstance(before, list):
        for pair in zip(before, after, strict=True):
            yield from _changes(*pair)
    elif isinstance(before, str) and before != after:
        yield before, after


def likeness(label: object) -> str:
    """What labels have in common that differ only in case, width, punctuation at their ends, or - and _ for a space."""
    text = unicodedata.normalize("NFKC", str(label)).casefold()
    return re.sub(r"(?<=\w)[\s_-]+(?=\w)", " ", text).strip(AT_THE_ENDS) or text


def _fold(label: str) -> str:
    return " ".join(INVISIBLE.sub("", unicodedata.normalize("NFC", label)).split())
