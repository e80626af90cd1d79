"""Spoken Italian words, see `examples/italian_words.py`; tests that need them are skipped where they are not there."""

from __future__ import annotations

import italian_words
import pytest


def words_of(speaker: str) -> dict[str, bytes]:
    """The bytes of a WAV file by its name without folders."""
    _there()
    return italian_words.words_of({"carlo": "man", "menardi": "woman"}[speaker])


def both() -> dict[str, tuple[bytes, bytes]]:
    """Words and prompts that both say: of the man, of the woman."""
    _there()
    return italian_words.both()


def _there() -> None:
    if lacking := italian_words.missing():
        pytest.skip(lacking)
