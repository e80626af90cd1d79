"""Sound files of every kind, block by block; what cannot be read says why."""

from __future__ import annotations

import struct
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from tones import RATE, tone, write

from headstart.data import waves
from headstart.data.sounds import clip_of
from headstart.data.wave_header import declared_seconds
from headstart.data.waves import samples_of, wave_blocks
from headstart.errors import DataError

WAVE = tone(440, 1.0)


def similarity(first: np.ndarray, second: np.ndarray) -> float:
    """The cosine of two waves at the shift, up to 0.1 s, where they fit best: codecs delay."""
    size = max(len(first), len(second))
    a, b = (np.fft.rfft(wave, 2 * size) for wave in (first, second))
    products = np.fft.irfft(a * b.conj(), 2 * size)
    most = max(products[: RATE // 10].max(), products[-RATE // 10 :].max())
    return float(most / np.linalg.norm(first) / np.linalg.norm(second))


@pytest.mark.parametrize(
    ("suffix", "coding", "error"),
    [
        ("wav", "PCM_U8", 1 / 128), ("wav", "PCM_16", 2**-15), ("wav", "PCM_24", 2**-23), ("wav", "PCM_32", 2**-24),
        ("wav", "FLOAT", 0.0), ("wav", "DOUBLE", 0.0), ("wav", "ULAW", 0.02), ("flac", "PCM_16", 2**-15),
        ("flac", "PCM_24", 2**-23), ("aiff", "PCM_16", 2**-15), ("au", "PCM_16", 2**-15), ("caf", "PCM_16", 2**-15),
    ],
)  # fmt: skip
def test_files_hold_what_was_written(tmp_path, suffix, coding, error):
    path = write(tmp_path / f"a.{suffix}", WAVE, subtype=coding)
    clip = clip_of(path)
    assert (clip.rate, clip.channels, clip.frames, clip.coding) == (RATE, 1, len(WAVE), coding)
    samples = samples_of(clip, RATE)
    assert samples.dtype == np.float32
    assert np.abs(samples - WAVE).max() <= error


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.ogg", {}), ("a.mp3", {}), ("a.opus", {"format": "OGG", "subtype": "OPUS"}),
        ("a.wav", {"subtype": "GSM610"}), ("a.wav", {"subtype": "IMA_ADPCM"}),
    ],
)  # fmt: skip
def test_files_that_lose_something_are_alike(tmp_path, name, options):
    rate = 48000 if "OPUS" in options.values() else 8000 if "GSM610" in options.values() else RATE
    path = write(tmp_path / name, tone(440, 1.0, rate), rate, **options)
    samples = samples_of(clip_of(path), rate)
    assert similarity(samples, tone(440, 1.0, rate)) > 0.97


def test_many_channels_and_high_rates(tmp_path):
    six = np.stack([tone(100 * k, 0.5) for k in range(1, 7)], axis=1)
    clip = clip_of(write(tmp_path / "six.wav", six, subtype="FLOAT"))
    assert clip.channels == 6
    assert np.allclose(samples_of(clip, RATE), six.mean(axis=1), atol=1e-7)
    high = tone(440, 0.5, 192000)
    clip = clip_of(write(tmp_path / "high.wav", high, 192000, subtype="FLOAT"))
    assert similarity(samples_of(clip, RATE), tone(440, 0.5)) > 0.99


@pytest.mark.parametrize("rate", [8000, RATE, 44100])
@pytest.mark.parametrize("block", [1, 777, 4096])
def test_blocks_of_any_size_give_the_same_samples(monkeypatch, tmp_path, rate, block):
    path = write(tmp_path / "a.flac", tone(440, 0.3, rate), rate)
    whole, _ = soundfile.read(path, dtype="float32")
    expected = whole if rate == RATE else soxr.resample(whole, rate, RATE, quality="HQ")
    monkeypatch.setattr(waves, "_BLOCK", block)
    samples = samples_of(clip_of(path), RATE)
    assert len(samples) == len(expected)
    assert np.abs(samples - expected).max() < 1e-5


def test_a_part_is_that_of_the_whole(tmp_path):
    path = write(tmp_path / "a.wav", WAVE, subtype="FLOAT")
    from headstart.data.sounds import find_sounds

    (clip,), broken = find_sounds([path], bounds=([0.25], [0.5]))
    assert not broken
    assert np.array_equal(samples_of(clip, RATE), WAVE[RATE // 4 : RATE // 2])


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_a_long_file_takes_no_more_memory_than_a_short_one(tmp_path, suffix):
    """In a process of its own: the peak of its resident memory while 3 hours are read, in half a minute of samples."""
    path = tmp_path / f"long.{suffix}"
    minute = (tone(440, 60.0, 8000) * 32767).astype(np.int16)
    with soundfile.SoundFile(path, "w", 8000, 1, "PCM_16") as file:
        for _ in range(180):
            file.write(minute)
    script = textwrap.dedent(
        f"""
        import resource
        from headstart.data.sounds import clip_of
        from headstart.data.waves import wave_blocks
        from headstart.data.sound_sketch import sketch
        peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        short = clip_of({str(path)!r})
        blocks = wave_blocks(short, 16000)
        [next(blocks) for _ in range(4)]
        before = peak()
        print(sum(map(len, wave_blocks(clip_of({str(path)!r}), 16000))), peak() - before)
        """
    )
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    samples, grown = map(int, printed.split())
    assert samples == pytest.approx(180 * 60 * RATE, abs=RATE)
    assert grown < 40 * 1024  # of kB; the whole would be 690 MB


def damaged(folder: Path) -> dict[str, Path]:
    """Files that are no sound, by what is wrong."""
    good = write(folder / "good.wav", WAVE).read_bytes()
    flac = write(folder / "good.flac", WAVE).read_bytes()
    no_rate, no_channels = bytearray(good), bytearray(good)
    no_rate[24:28] = bytes(4)
    no_channels[22:24] = bytes(2)
    contents = {
        "text.wav": b"this is no sound at all", "empty.wav": b"", "head.wav": good[:30], "no_rate.wav": no_rate,
        "no_channels.wav": no_channels, "cut.flac": flac[: len(flac) // 2],
    }  # fmt: skip
    paths = {}
    for name, data in contents.items():
        paths[name] = folder / name
        paths[name].write_bytes(bytes(data))
    paths["zero.wav"] = write(folder / "zero.wav", WAVE[:0])
    nan = WAVE.copy()
    nan[[7, 9]] = np.nan
    paths["nan.wav"] = write(folder / "nan.wav", nan, subtype="FLOAT")
    paths["huge.wav"] = write(folder / "huge.wav", WAVE * 1e30, subtype="FLOAT")
    return paths


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("text.wav", "no sound that can be read"), ("empty.wav", "the file is empty"), ("zero.wav", "0 samples"),
        ("head.wav", "no sound that can be read"), ("no_rate.wav", "no sound"), ("no_channels.wav", "no sound"),
        ("cut.flac", "damaged sound"), ("nan.wav", "2 of its samples are no numbers"), ("huge.wav", "full scale is 1"),
    ],
)  # fmt: skip
def test_what_is_no_sound_says_why(tmp_path, name, why):
    path = damaged(tmp_path)[name]
    with pytest.raises(DataError, match=why):
        samples_of(clip_of(path), RATE)


def test_files_of_other_names_and_with_pictures_in_them_are_read(tmp_path):
    flac = write(tmp_path / "a.flac", WAVE)
    other = flac.rename(tmp_path / "b.wav")
    assert np.abs(samples_of(clip_of(other), RATE) - WAVE).max() < 2**-14
    mp3 = write(tmp_path / "a.mp3", WAVE).read_bytes()
    picture = b"\x00image/png\x00\x03\x00" + bytes(range(1, 128)) * 40
    frame = b"APIC" + struct.pack(">I", len(picture)) + b"\0\0" + picture
    size = bytes(len(frame) >> shift & 127 for shift in (21, 14, 7, 0))
    (tmp_path / "cover.mp3").write_bytes(b"ID3\x03\0\0" + size + frame + mp3)
    covered = samples_of(clip_of(tmp_path / "cover.mp3"), RATE)
    assert np.array_equal(covered, samples_of(clip_of(tmp_path / "a.mp3"), RATE))


def test_one_sample_is_read(tmp_path):
    path = write(tmp_path / "one.wav", WAVE[1000:1001], subtype="FLOAT")
    assert np.array_equal(samples_of(clip_of(path), RATE), WAVE[1000:1001])


@pytest.mark.parametrize("rate", [1, 2_000_000])
def test_impossible_rates_are_refused(rate):
    with pytest.raises(DataError, match=r"samples a second: expected 1,000 to 1,000,000"):
        samples_of(clip_of((WAVE, rate)), RATE)


def test_the_length_that_a_header_gives(tmp_path):
    path = write(tmp_path / "a.wav", WAVE)
    assert declared_seconds(str(path)) == 1.0
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert declared_seconds(str(path)) == 1.0
    assert len(samples_of(clip_of(path), RATE)) == pytest.approx(RATE / 2, abs=40)
    streamed = bytearray(whole)
    at = whole.index(b"data") + 4
    streamed[at : at + 4] = b"\xff" * 4
    path.write_bytes(bytes(streamed))
    assert declared_seconds(str(path)) is None
    assert len(samples_of(clip_of(path), RATE)) == RATE
    assert declared_seconds(str(write(tmp_path / "a.flac", WAVE))) is None


def test_who_listens_hears_what_stands_in_the_file(tmp_path):
    stereo = np.stack([WAVE, -WAVE], axis=1)
    path = write(tmp_path / "a.wav", stereo, 8000, subtype="FLOAT")
    parts: list[np.ndarray] = []
    blocks = list(wave_blocks(clip_of(path), RATE, parts.append))
    assert np.array_equal(np.concatenate(parts), stereo)
    assert np.abs(np.concatenate(blocks)).max() < 1e-6


def test_without_the_libraries_the_error_names_the_extra():
    script = (
        "import sys; sys.modules['soundfile'] = None\n"
        "from headstart.data.sounds import clip_of\n"
        "try: clip_of('pyproject.toml')\n"
        "except ImportError as error: print(error)"
    )
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "reading sound needs soundfile and soxr: pip install 'headstart[audio]'"
