"""Pictures as their own description: pixels, colours and edges of a thumbnail, see `descriptors.py`. Nothing is learnt
but how pictures of more than 8 bits are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from headstart.data.bit_depth import Window, check_window
from headstart.errors import ArtefactError
from headstart.preprocessing.descriptors import WIDTH, describe, is_description
from headstart.tasks.task import Array

__all__ = ["DescriptionEncoder"]

KIND = "description"
VERSION = 1


@dataclass(frozen=True)
class DescriptionEncoder:
    """window   as in `PicturePreprocess`: what becomes black and white in pictures of more than 8 bits; None: no such
    picture was learnt from"""

    window: Window | None = None

    @property
    def width(self) -> int:
        """How many numbers describe a picture."""
        return WIDTH

    def transform(self, thumbs: Array) -> Array:
        """(N, 32, 32, 3) uint8 -> (N, 2344) float32; what is described already stays as it is."""
        return thumbs if is_description(thumbs) else describe(thumbs)

    def state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """(JSON, arrays): all that `from_state` needs."""
        window = None if self.window is None else list(self.window)
        return {"kind": KIND, "version": VERSION, "window": window}, {}

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: dict[str, Array]) -> Self:
        """The encoder that gave this state. `ArtefactError` where it is none."""
        if config.get("version") != VERSION:
            raise ArtefactError(f"descriptions of version {config.get('version')!r:.40}; expected {VERSION}.")
        window = config.get("window")
        if window is None:
            return cls()
        try:
            return cls(check_window(window))
        except (TypeError, ValueError) as error:
            raise ArtefactError(f"the window of the model is damaged ({error}); take a fresh copy of it.") from error
