"""Lists of labels that were written as text, such as ['red', 'green'], as a file of separated values must hold them."""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from headstart.data.targets import is_missing

__all__ = ["from_text"]

LONGEST = 10_000


def from_text(values: Sequence[Any]) -> list[Any]:
    """The lists that plain targets are the text of; the targets as they are where one that is there is no such text.

    JSON and Python's own form are read: quoted words, numbers, true and false.
    """
    lists = []
    for value in values:
        labels = _labels(value) if isinstance(value, str) else None
        if labels is None and not is_missing(value):
            return list(values)
        lists.append(value if labels is None else labels)
    return lists


def _labels(text: str) -> list[Any] | None:
    """The list that is written here; None where none is."""
    text = text.strip()
    if not (text.startswith("[") and text.endswith("]")) or len(text) > LONGEST:
        return None
    labels: Any = None
    for read in (json.loads, ast.literal_eval):
        with suppress(ValueError, SyntaxError, RecursionError, MemoryError):
            labels = read(text)
            break
    plain = isinstance(labels, list) and all(isinstance(label, str | int | float) for label in labels)
    return labels if plain else None
