"""Lists of strings and paths (files of pictures, texts or recordings, or texts), of pictures and of recordings."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from headstart.data.draft import Draft
from headstart.data.images import find_pictures, holds_pictures
from headstart.data.sounds import find_sounds, holds_sounds
from headstart.data.text import empty_note, find_texts, is_text_name, read_texts
from headstart.errors import DataError
from headstart.messages import few, shown
from headstart.tasks import AUDIO, IMAGE, TEXT, Modality

__all__ = ["draft_of_pictures", "draft_of_sounds", "draft_of_strings"]


def draft_of_strings(items: list[Any], modality: Modality | None) -> Draft:
    """Paths of pictures, of recordings or of text files, or texts."""
    if modality == AUDIO or (modality is None and holds_sounds(items)):
        return draft_of_sounds(items)
    if modality == IMAGE or (modality is None and holds_pictures(items)):
        return draft_of_pictures(items)
    if modality is not None and modality.has_columns:
        raise DataError(f"the model reads tables, not {few(items, 2)}: give a table file, or a table in memory")
    if _are_files(items):
        return _from_text_files(items, modality)
    texts, broken = find_texts(items)
    names = [f"row {row}" for row in range(len(items))]
    return Draft(inputs=texts, modality=TEXT, names=names, broken=broken, notes=empty_note(texts, broken))


def _are_files(items: list[Any]) -> bool:
    """Whether strings are file names rather than texts: paths, or all .txt, or more than half of them there."""
    if any(isinstance(item, os.PathLike) for item in items):
        return True
    names = [item for item in items if isinstance(item, str)]
    n_files = sum(os.path.isfile(name) for name in names)
    return all(map(is_text_name, names)) or 2 * n_files > len(names)


def _from_text_files(items: list[Any], modality: Modality | None) -> Draft:
    names = _names(items)
    broken = {row: "not a text file, by its suffix" for row, name in enumerate(names) if not is_text_name(name)}
    if len(broken) == len(items) and modality is None:
        expected = "expected .jpg, .png, ..., .wav, .flac, ... or .txt"
        raise DataError(f"{names[0]!r} is neither a picture nor a recording nor a text file: {expected}")
    texts, unread, notes = read_texts(os.devnull if row in broken else item for row, item in enumerate(items))
    broken |= unread
    notes += empty_note(texts, broken)
    return Draft(inputs=texts, modality=TEXT, names=names, broken=broken, notes=notes)


def draft_of_pictures(items: Sequence[Any]) -> Draft:
    """Pictures in memory, or their paths."""
    pictures, broken = find_pictures(items)
    return Draft(inputs=pictures, modality=IMAGE, names=_names(items), broken=broken)


def draft_of_sounds(items: Sequence[Any], rate: int | None = None) -> Draft:
    """Recordings in memory, or their paths; `rate` of waves that do not say it."""
    clips, broken = find_sounds(items, rate=rate)
    return Draft(inputs=clips, modality=AUDIO, names=_names(items), broken=broken)


def _names(items: Sequence[Any]) -> list[str]:
    """Paths by their name, everything else by its row."""
    return [
        shown(os.fspath(item)) if isinstance(item, str | os.PathLike) else f"row {row}"
        for row, item in enumerate(items)
    ]
