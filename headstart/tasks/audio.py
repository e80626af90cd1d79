"""Sound: recordings in files or in memory, whole or in part."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import pandas as pd

from headstart.tasks.modality import Array, Modality

__all__ = ["AUDIO", "Audio", "Clip"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Clip:
    """A recording, or the part of one from frame `start` up to frame `stop`. One of path, data and wave is there.

    path      of a sound file
    data      the bytes of a sound file
    wave      float32 (T, channels), full scale at 1
    rate      frames a second (Hz)
    channels  numbers in each frame
    frames    of the whole recording, as its header says
    coding    how a file holds its numbers, such as "PCM_16"; "" in memory
    stop      None: the end
    """

    path: str | None = None
    data: bytes | None = None
    wave: Array | None = None
    rate: int
    channels: int
    frames: int
    coding: str = ""
    start: int = 0
    stop: int | None = None

    @property
    def seconds(self) -> float:
        """How long it is, as far as the header tells."""
        return self.length / self.rate

    @property
    def length(self) -> int:
        """How many frames it has, as far as the header tells."""
        return max(0, min(self.frames, self.frames if self.stop is None else self.stop) - self.start)


class Audio(Modality):
    """A `Clip` a row."""

    __slots__ = ()
    noun = "recordings"
    card_noun = "recordings"
    card_example = ("new/*.wav", '["new/one.wav"]')
    backbone = "bundled:speech-embedding"
    has_thumbs = True
    properties_are = "properties of the files"

    def obstacle(self, item: Any) -> str:
        """See `Modality`, as all that follows."""
        return "" if isinstance(item, Clip) else f"a {type(item).__name__} is no recording"

    def properties(self, inputs: Any) -> dict[str, pd.Series[Any]]:
        """What a header says of each recording; the type of each file, where all are files."""
        clips: list[Clip] = list(inputs)
        columns: dict[str, pd.Series[Any]] = {
            "seconds": pd.Series([clip.seconds for clip in clips], dtype="float64"),
            "sampling rate": pd.Series([str(clip.rate) for clip in clips], dtype=object),
            "channels": pd.Series([str(clip.channels) for clip in clips], dtype=object),
        }
        if all(clip.path for clip in clips):
            suffixes = [os.path.splitext(str(clip.path))[1].lower() for clip in clips]
            columns["file type"] = pd.Series(suffixes, dtype=object)
            columns["coding"] = pd.Series([clip.coding for clip in clips], dtype=object)
        return columns


AUDIO = Audio("audio")
