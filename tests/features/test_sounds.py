"""Recordings through a network: windows and their mean, batches, the cache, and what cannot be read."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import spectral
import torch
from spectral import backbone
from tones import RATE, melody, tone, write

from headstart.data.sound_sketch import sketch
from headstart.data.sounds import clip_of, find_sounds
from headstart.features.cache.cache import Cache
from headstart.features.extract import Extraction, extract, sketches

PLAIN = Extraction(engine="torch", precision="float32")


def features_of(wave: np.ndarray, network) -> np.ndarray:
    """By hand: each window of at most 1 s through the module, weighted by what of it is new."""
    size = network.preprocess.max_samples
    starts = [*range(0, max(1, len(wave) - size), size)] if len(wave) > size else [0]
    starts += [len(wave) - size] if len(wave) > size and starts[-1] + size < len(wave) else []
    rows, weights, until = [], [], 0
    for start in starts:
        part = wave[start : start + size]
        part = np.pad(part, (0, max(0, network.preprocess.min_samples - len(part))))
        with torch.inference_mode():
            rows.append(network.module(torch.from_numpy(part[None]), torch.tensor([len(part)]))[0].numpy())
        weights.append(start + len(part) - until)
        until = start + len(part)
    return np.average(rows, axis=0, weights=weights)


def test_features_are_means_over_windows():
    network, rng = backbone(), np.random.default_rng(0)
    waves = [melody(300, s, RATE, rng) for s in (0.05, 0.4, 0.9, 1.0, 1.3, 2.0, 3.7)]
    clips, _ = find_sounds([(wave, RATE) for wave in waves])
    result = extract(clips, network, PLAIN)
    expected = np.stack([features_of(wave, network) for wave in waves])
    assert result.values.dtype == np.float32
    assert np.allclose(result.values, expected, rtol=1e-4, atol=1e-5)
    assert np.allclose(result.thumbs, np.stack([sketch(clip) for clip in clips]), rtol=1e-5, atol=1e-6)
    assert not result.failed
    assert result.computed == len(waves)


def test_another_rate_than_that_of_sketches_gives_the_same_sketches():
    clips, _ = find_sounds([(melody(300, 0.7, RATE, np.random.default_rng(k)), RATE) for k in range(3)])
    slow = backbone(rate=8000)
    result = extract(clips, slow, PLAIN)
    assert np.allclose(result.thumbs, np.stack([sketch(clip) for clip in clips]), rtol=1e-5, atol=1e-6)
    from headstart.data.waves import samples_of

    expected = np.stack([features_of(samples_of(clip, 8000), slow) for clip in clips])
    assert np.allclose(result.values, expected, rtol=1e-4, atol=1e-5)


def test_what_cannot_be_read_is_named_and_the_others_are_as_without_it(tmp_path):
    waves = [melody(300, 0.5, RATE, np.random.default_rng(k)) for k in range(4)]
    paths = [write(tmp_path / f"{k}.wav", wave, subtype="FLOAT") for k, wave in enumerate(waves)]
    bad = waves[0].copy()
    bad[-1] = np.nan
    paths.insert(2, write(tmp_path / "nan.wav", bad, subtype="FLOAT"))
    late = np.concatenate([waves[0]] * 5)
    late[-1] = np.inf
    paths.append(write(tmp_path / "late.wav", late, subtype="FLOAT"))
    clips, _ = find_sounds(paths)
    gone = write(tmp_path / "gone.wav", waves[0])
    clips.append(clip_of(gone))
    gone.unlink()
    network = backbone()
    result = extract(clips, network, PLAIN)
    assert [failed.row for failed in result.failed] == [2, 5, 6]
    assert "no numbers" in result.failed[0].why
    assert "no numbers" in result.failed[1].why
    assert result.failed[2].why.startswith("it cannot be read")
    assert result.rows.tolist() == [0, 1, 3, 4]
    assert np.allclose(result.values, [features_of(wave, network) for wave in waves], rtol=1e-4, atol=1e-5)


def test_what_was_computed_is_found_again_and_copies_are_computed_once(tmp_path):
    cache = Cache(tmp_path / "cache")
    waves = [melody(300, 0.3 + 0.4 * k, RATE, np.random.default_rng(k)) for k in range(4)]
    paths = [str(write(tmp_path / f"{k}.flac", wave)) for k, wave in enumerate(waves)]
    copy = tmp_path / "copy.flac"
    copy.write_bytes((tmp_path / "1.flac").read_bytes())
    clips, _ = find_sounds([*paths, copy])
    network, kept = backbone(), replace(PLAIN, cache=cache)
    first = extract(clips, network, kept)
    assert first.computed == 4
    assert np.array_equal(first.values[4], first.values[1])
    second = extract(clips, network, kept)
    assert second.computed == 0
    assert np.array_equal(second.values, first.values)
    assert np.array_equal(second.thumbs, first.thumbs)
    glanced = sketches(clips, kept)
    assert (glanced.computed, glanced.values.shape) == (0, (5, 0))
    assert np.array_equal(glanced.thumbs, first.thumbs)
    other = extract(clips, backbone(seed=1), kept)
    assert other.computed == 4
    assert not np.allclose(other.values, first.values)


@pytest.mark.parametrize("lanes", [1, 2, 3])
def test_lanes_and_neighbours_do_not_matter(lanes):
    clips, _ = find_sounds([(melody(300, 0.2 + 0.13 * k, RATE, np.random.default_rng(k)), RATE) for k in range(20)])
    network = backbone()
    together = extract(clips, network, replace(PLAIN, lanes=lanes)).values
    alone = np.concatenate([extract([clip], network, PLAIN).values for clip in clips])
    assert np.allclose(together, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_a_recording_of_three_hours_is_read_with_little_memory(tmp_path):
    """In a process of its own, after a short one has loaded all that is needed."""
    path = tmp_path / "long.wav"
    minute = (tone(440, 60.0, 8000) * 32767).astype(np.int16)
    with soundfile.SoundFile(path, "w", 8000, 1, "PCM_16") as file:
        for _ in range(180):
            file.write(minute)
    short = write(tmp_path / "short.wav", np.concatenate([minute] * 2), 8000)
    script = textwrap.dedent(
        f"""
        import resource, sys
        sys.path.insert(0, {str(Path(spectral.__file__).parent)!r})
        from spectral import backbone
        from headstart.data.sounds import clip_of
        from headstart.features.extract import Extraction, extract
        plain = Extraction(engine="torch", precision="float32", lanes=1)
        network = backbone(seconds=10)
        few = extract([clip_of({str(short)!r})], network, plain)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        many = extract([clip_of({str(path)!r})], network, plain)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        print(grown, float(many.thumbs[0, 0]), float(abs(many.values - few.values).max()))
        """
    )
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    grown, seconds, difference = map(float, printed.split())
    assert seconds == pytest.approx(3 * 3600)
    assert difference < 0.1
    assert grown < 64 * 1024  # of kB; its samples at 16 kHz would be 690 MB
