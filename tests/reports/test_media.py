"""A row as the page shows it, and how much of the page all rows may take."""

from __future__ import annotations

import base64
import io
import wave

import numpy as np
import pytest
from PIL import Image

from headstart.data.content import content_keys
from headstart.evidence.examples import RowName
from headstart.evidence.origin import Origin
from headstart.reports.inputs import rows_again
from headstart.reports.media import media_of
from headstart.tasks.audio import Clip
from headstart.tasks.task import Task


def task_of(items, modality):
    return Task(inputs=items, targets=None, kind="classification", modality=modality)


def data_of(uri: str) -> io.BytesIO:
    return io.BytesIO(base64.b64decode(uri.partition(",")[2]))


def test_a_picture_is_small_and_keeps_its_shape_and_colour(tmp_path):
    Image.new("RGB", (900, 300), (200, 40, 40)).save(tmp_path / "a.png")
    shown = media_of(task_of([str(tmp_path / "a.png")], "image"), 0)
    picture = Image.open(data_of(shown.picture))
    assert picture.size == shown.size == (112, 37)
    assert np.abs(np.asarray(picture).mean(axis=(0, 1)) - (200, 40, 40)).max() < 3


def test_pictures_in_memory_are_shown_alike():
    pixels = np.full((50, 40, 3), 90, np.uint8)
    for item in (pixels, Image.fromarray(pixels)):
        picture = Image.open(data_of(media_of(task_of([item], "image"), 0).picture))
        assert np.abs(np.asarray(picture).astype(int) - 90).max() < 3


def test_a_sound_is_two_seconds_at_its_own_pitch():
    pytest.importorskip("soxr")
    seconds, rate = np.arange(5 * 16_000) / 16_000, 16_000
    tone = 0.5 * np.sin(2 * np.pi * 440 * seconds)[:, None].astype(np.float32)
    clip = Clip(wave=tone, rate=rate, channels=1, frames=len(tone))
    shown = media_of(task_of([clip], "audio"), 0)
    with wave.open(data_of(shown.sound)) as file:
        assert (file.getframerate(), file.getnframes()) == (8000, 16_000)
        samples = np.frombuffer(file.readframes(16_000), "<i2") / 32_767
    spectrum = np.abs(np.fft.rfft(samples))
    assert np.argmax(spectrum) / 2 == pytest.approx(440, abs=1)
    assert np.abs(samples).max() == pytest.approx(0.5, abs=0.02)


def test_a_text_is_cut_and_marks_that_turn_it_are_written_out():
    shown = media_of(task_of(["\u202eabc " + "x" * 10_000], "text"), 0)
    assert shown.text.startswith("\\u202eabc x")
    assert len(shown.text) == 320
    assert media_of(task_of(["短い文"], "text"), 0).text == "短い文"


def test_what_is_beyond_the_room_of_the_page_is_counted(tmp_path):
    paths = []
    for row in range(6):
        folder = tmp_path / "ab"[row % 2]
        folder.mkdir(exist_ok=True)
        pixels = np.random.default_rng(row).integers(0, 256, (64, 64, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{row}.png")
        paths.append(str(folder / f"{row}.png"))
    paths.sort()
    rows = [RowName(path, place, content_keys([path], "image")[0][:8].hex()) for place, path in enumerate(paths)]
    origin = Origin(str(tmp_path), None, None, {}, None, None)
    config = {"modality": "image", "backbone": None}
    whole = rows_again(origin, config).shown(rows)
    assert (len(whole.media), whole.changed, whole.full, whole.gap) == (6, 0, 0, None)
    room = sum(media.weight for media in whole.media.values()) // 2
    half = rows_again(origin, config, budget=room).shown(rows)
    assert len(half.media) + half.full == 6
    assert 2 <= half.full <= 4
    assert sum(media.weight for media in half.media.values()) <= room
    Image.new("RGB", (8, 8)).save(paths[0])
    assert rows_again(origin, config).shown(rows[:1]).changed == 1
