"""What a recording sounds like in some hundred numbers."""

from __future__ import annotations

import numpy as np
import pytest
from tones import RATE, melody, tone

from headstart.data import sound_sketch as module
from headstart.data import waves
from headstart.data.sound_sketch import WIDTH, described, facts_of, fingerprints, sketch
from headstart.data.sounds import clip_of
from headstart.errors import DataError
from headstart.linalg.mel import cepstra, mel_power

WAVE = melody(400, 1.0, RATE, np.random.default_rng(0))


def of(wave: np.ndarray, rate: int = RATE) -> np.ndarray:
    return sketch(clip_of((wave, rate)))[None]


def test_facts_are_those_of_the_samples():
    wave = np.clip(4 * WAVE + 0.1, -1, 1).astype(np.float32)
    facts = facts_of(of(wave))
    assert facts.seconds == facts.declared == pytest.approx(len(wave) / RATE)
    assert facts.peak == pytest.approx(1.0)
    assert facts.mean == pytest.approx(wave.mean(), abs=1e-5)
    assert facts.rms == pytest.approx(np.sqrt(np.square(wave).mean()), rel=1e-4)
    flat = (np.abs(wave[1:]) == 1) & (wave[1:] == wave[:-1])
    assert flat.sum() > 100
    assert facts.clipped == pytest.approx(flat.sum() / len(wave), rel=1e-5)
    assert facts_of(of(WAVE)).clipped == 0


def test_descriptions_are_moments_of_the_cepstra():
    """Against the whole spectrogram at once, its last frame filled up with silence."""
    missing = -(len(WAVE) - 400) % 160
    c = cepstra(np.log(np.maximum(mel_power(np.pad(WAVE, (0, missing))), 1e-10))).astype(np.float64)
    slopes = (c[2:] - c[:-2]) / 2
    parts = [c.mean(axis=0), c.std(axis=0), np.sqrt(np.square(slopes).mean(axis=0))]
    row = described(of(WAVE))[0]
    assert np.allclose(row[:60], np.concatenate(parts), rtol=2e-3, atol=2e-3)
    assert row[-1] == pytest.approx(np.log(len(WAVE) / RATE + 0.01), abs=1e-4)
    n = len(c) // 3 * 3
    missing = -(n * 160 + 240 - 400) % 160
    thirds = described(of(WAVE[: (n - 1) * 160 + 400]))[0][60:120].reshape(3, 20)
    assert np.allclose(thirds, c[:n].reshape(3, n // 3, 20).mean(axis=1), rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("block", [400, 5000])
def test_blocks_of_any_size_give_the_same_sketch(monkeypatch, block):
    whole = of(WAVE)
    monkeypatch.setattr(waves, "_BLOCK", block)
    assert np.allclose(of(WAVE), whole, rtol=1e-4, atol=1e-4)


def test_long_recordings_have_nearly_the_sketch_of_few_bins(monkeypatch):
    long = np.concatenate([melody(300, 4.0, RATE, np.random.default_rng(k)) for k in range(5)])
    whole = of(long)
    monkeypatch.setattr(module, "_BINS", 64)
    few = of(long)
    assert np.abs(few - whole)[:, :6].max() == 0
    assert np.linalg.norm(fingerprints(few) - fingerprints(whole)) < 0.2
    assert np.allclose(described(few)[:, :60], described(whole)[:, :60], atol=1e-4)
    assert np.abs(described(few) - described(whole)).max() < 1.0


def test_fingerprints_are_the_same_at_any_gain_and_rate_and_differ_between_melodies():
    import soxr

    plain = fingerprints(of(WAVE))[0]
    assert np.linalg.norm(plain) == pytest.approx(1)
    assert np.linalg.norm(fingerprints(of(0.05 * WAVE))[0] - plain) < 1e-3
    eight = soxr.resample(WAVE, RATE, 8000)
    assert np.linalg.norm(fingerprints(of(eight, 8000))[0] - plain) < 0.05
    other = melody(400, 1.0, RATE, np.random.default_rng(1))
    assert np.linalg.norm(fingerprints(of(other))[0] - plain) > 0.3


@pytest.mark.parametrize("wave", [np.zeros(RATE), tone(440, 1.0)[:1], np.zeros(1), tone(440, 0.02), tone(440, 0.0251)])
def test_silence_and_what_is_very_short_have_finite_sketches(wave):
    row = of(np.asarray(wave, np.float32))
    assert row.shape == (1, WIDTH)
    assert np.isfinite(row).all()


def test_nothing_has_no_sketch():
    with pytest.raises(DataError, match=r"0 samples"):
        of(np.zeros(0, np.float32))


def test_what_is_described_already_stays():
    rows = described(of(WAVE))
    assert described(rows) is rows
