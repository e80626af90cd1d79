"""Recordings as their own description: cepstra and how they move, see `data.sound_sketch`. Nothing is learnt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from headstart.data.sound_sketch import DESCRIPTION, RECIPE, described
from headstart.errors import ArtefactError
from headstart.tasks.task import Array

__all__ = ["KIND", "SoundEncoder"]

KIND = "cepstra"


@dataclass(frozen=True)
class SoundEncoder:
    """It has no parameters."""

    @property
    def width(self) -> int:
        """How many numbers describe a recording."""
        return DESCRIPTION

    def transform(self, sketches: Array) -> Array:
        """Sketches (N, W) -> (N, 121) float32."""
        return described(sketches)

    def state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """(JSON, arrays): all that `from_state` needs."""
        return {"kind": KIND, "version": RECIPE}, {}

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: dict[str, Array]) -> Self:
        """The encoder that gave this state. `ArtefactError` where it is none."""
        if config.get("version") != RECIPE:
            raise ArtefactError(
                f"descriptions of recordings of version {config.get('version')!r:.40}; expected {RECIPE}."
            )
        return cls()
