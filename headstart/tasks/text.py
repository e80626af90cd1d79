"""Texts: a string a row."""

from __future__ import annotations

from typing import Any

from headstart.tasks.modality import Modality

__all__ = ["TEXT", "Text"]


class Text(Modality):
    """A text a row."""

    __slots__ = ()
    noun = "texts"
    card_noun = "texts"
    card_example = ("new.csv", '["one text", "another"]')
    backbone = "bundled:minilm"

    def obstacle(self, item: Any) -> str:
        """See `Modality`, as all that follows."""
        return "" if isinstance(item, str) else f"a {type(item).__name__} is no text: expected a string"

    def content(self, item: Any) -> bytes:
        return str(item).encode("utf-8", "surrogatepass")

    def texts(self, inputs: Any) -> list[str]:
        return [str(item) for item in inputs]


TEXT = Text("text")
