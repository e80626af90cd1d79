"""Recordings to train on: of those longer than a window of the backbone, another window in each epoch.

So all of a long recording is heard in the course of a training, a window at a time: what is held of it does not grow
with its length, and files longer than `_HELD` seconds are read anew for each window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple, cast

import numpy as np
import torch

from headstart.backbones.backbone import Backbone
from headstart.data.waves import Wave, samples_of, wave_blocks
from headstart.errors import DataError
from headstart.features.extract import Extraction
from headstart.preprocessing.sound import SoundPreprocess
from headstart.tasks.audio import Clip
from headstart.tasks.task import Array
from headstart.training.augmentation import Draw
from headstart.training.item_batches import ItemBatches

__all__ = ["SoundBatches"]

_HELD = 60


class _Long(NamedTuple):
    """A recording longer than a window.

    clip    where it is read from
    frames  how many it has in truth, at its own rate
    wave    all of it, at the rate of the backbone; None where it is read anew each time
    """

    clip: Clip
    frames: int
    wave: Wave | None


class SoundBatches(ItemBatches):
    """Recordings as waves with silence behind the shorter ones, and how many samples are the recording's.

    Of a recording longer than a window: drawn, a window from anywhere in it, each place alike; plain, its middle.
    """

    def __init__(self, inputs: Sequence[Any], backbone: Backbone, device: torch.device, extraction: Extraction) -> None:
        form = cast(SoundPreprocess, backbone.preprocess)
        self._form, self._long = form, dict[int, _Long]()
        middles: dict[int, Wave] = {}
        for row, clip in enumerate(inputs):
            if clip.seconds * form.rate > form.max_samples:
                long = _opened(clip, form)
                if long.frames * form.rate > form.max_samples * clip.rate:
                    self._long[row], middles[row] = long, _window(long, form, 0.5)
        shorter = [None if row in middles else clip for row, clip in enumerate(inputs)]
        items = [middles[row] if clip is None else form.prepare(clip)[0] for row, clip in enumerate(shorter)]
        super().__init__(items, form, device, prepared=True)

    def item(self, row: int, rng: np.random.Generator | None) -> Array:
        """Samples (T,) of a row, at most a window."""
        long = self._long.get(row)
        return super().item(row, rng) if long is None or rng is None else _window(long, self._form, rng.random())

    def above(self, rows: Array, draw: Draw | None) -> tuple[torch.Tensor, ...]:
        """The plain ones, which are as long as those that are drawn: above a cut only lengths matter."""
        return self.batch(rows, None)


def _opened(clip: Clip, form: SoundPreprocess) -> _Long:
    """Read once from its beginning to its end, as a header may promise more than there is."""
    if clip.seconds <= _HELD:
        wave = samples_of(clip, form.rate)
        return _Long(clip, round(len(wave) * clip.rate / form.rate), wave)
    return _Long(clip, sum(map(len, wave_blocks(clip, clip.rate))), None)


def _window(long: _Long, form: SoundPreprocess, place: float) -> Wave:
    """float32 (max_samples,), from the beginning (place 0) to the end (1)."""
    size = form.max_samples
    if long.wave is not None:
        start = round(place * (len(long.wave) - size))
        return long.wave[start : start + size]
    clip, need = long.clip, -(-size * long.clip.rate // form.rate)
    start = clip.start + round(place * max(0, long.frames - need))
    try:
        wave = samples_of(replace(clip, start=start, stop=start + need), form.rate)[:size]
    except DataError as error:
        raise DataError(f"{clip.path or 'a recording'} has changed while it was trained on: {error}") from error
    return np.pad(wave, (0, size - len(wave)))
