"""Explanations as the bytes of a file, by its suffix."""

from __future__ import annotations

from headstart.explanations.drawing import png_of
from headstart.explanations.explanation import Explanations
from headstart.explanations.page import page_of

__all__ = ["bytes_of"]


def bytes_of(explanations: Explanations, suffix: str) -> bytes:
    """.png or .html; ValueError for another suffix."""
    if suffix == ".png":
        return png_of(explanations)
    if suffix == ".html":
        return page_of(explanations).encode("utf-8", "backslashreplace")
    raise ValueError(f"suffix {suffix!r}: expected .png or .html")
