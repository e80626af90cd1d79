"""Recordings longer than a window: what of them a training hears, from memory and from files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch
from tones import write

from headstart.backbones.load import load
from headstart.data.sounds import clip_of
from headstart.errors import DataError
from headstart.training import sound_batches
from headstart.training.augmentation import Anew
from headstart.training.batches import CPU, PLAIN, batches
from headstart.training.sound_batches import SoundBatches

RATE, WINDOW, WHOLE = 8000, 800, 4000
RAMP = np.linspace(-0.9, 0.9, WHOLE).astype(np.float32)


@pytest.fixture(scope="module")
def backbone():
    small = load("wavenet:1x1-2")
    return replace(small, preprocess=replace(small.preprocess, rate=RATE, max_samples=WINDOW, min_samples=100))


def drawn_starts(held: SoundBatches, row: int, epochs: int = 60) -> list[int]:
    """Where in the ramp the window of each epoch begins."""
    forms = [held.item(row, Anew(0, 0, epoch).generator(row)) for epoch in range(epochs)]
    assert all(len(form) == WINDOW for form in forms)
    return [int(np.abs(RAMP - form[0]).argmin()) for form in forms]


@pytest.mark.parametrize("longest_in_memory", [60, 0])
def test_windows_of_all_epochs_cover_the_recording(backbone, tmp_path, monkeypatch, longest_in_memory):
    monkeypatch.setattr(sound_batches, "_HELD", longest_in_memory)
    path = write(tmp_path / "ramp.wav", RAMP, RATE, subtype="FLOAT")
    clips = [clip_of(str(path)), clip_of((RAMP[:500], RATE))]
    held = batches(clips, backbone)
    assert isinstance(held, SoundBatches)
    starts = drawn_starts(held, 0)
    assert min(starts) < WHOLE / 10
    assert max(starts) > WHOLE - WINDOW - WHOLE / 10
    assert starts == drawn_starts(held, 0)
    middle = (WHOLE - WINDOW) // 2
    waves, samples = held.batch(np.array([0, 1]), None)
    assert samples.tolist() == [WINDOW, 500]
    assert np.array_equal(waves[0].numpy(), RAMP[middle : middle + WINDOW])
    assert np.array_equal(waves[1, :500].numpy(), RAMP[:500])
    assert torch.equal(held.above(np.array([0, 1]), Anew(0, 0, 3))[1], samples)


def test_a_part_of_a_file_is_not_left(backbone, tmp_path, monkeypatch):
    monkeypatch.setattr(sound_batches, "_HELD", 0)
    path = write(tmp_path / "ramp.wav", RAMP, RATE, subtype="FLOAT")
    part = replace(clip_of(str(path)), start=1000, stop=3000)
    starts = drawn_starts(SoundBatches([part], backbone, CPU, PLAIN), 0)
    assert 1000 <= min(starts) < 1200
    assert 3000 - WINDOW - 200 < max(starts) <= 3000 - WINDOW


def test_windows_at_another_rate_are_as_long(backbone, tmp_path, monkeypatch):
    monkeypatch.setattr(sound_batches, "_HELD", 0)
    path = write(tmp_path / "tone.flac", np.sin(np.arange(11025) / 9).astype(np.float32), 11025)
    held = SoundBatches([clip_of(str(path))], backbone, CPU, PLAIN)
    assert {len(held.item(0, Anew(0, 0, epoch).generator(0))) for epoch in range(9)} == {WINDOW}


def test_a_file_that_changes_meanwhile_is_named(backbone, tmp_path, monkeypatch):
    monkeypatch.setattr(sound_batches, "_HELD", 0)
    path = write(tmp_path / "ramp.wav", RAMP, RATE, subtype="FLOAT")
    held = SoundBatches([clip_of(str(path))], backbone, CPU, PLAIN)
    soundfile.write(path, RAMP[:700], RATE, subtype="FLOAT")
    with pytest.raises(DataError, match=r"ramp\.wav has changed while it was trained on: no sound"):
        held.batch(np.array([0]), Anew(0, 0, 0))
