"""Recordings as a network takes them."""

from __future__ import annotations

import numpy as np
import pytest
import soxr
import torch
from tones import RATE, tone, write

from headstart.data.sounds import clip_of
from headstart.errors import BackboneError, DataError
from headstart.preprocessing.preprocess import preprocess_from_json, preprocess_to_json
from headstart.preprocessing.sound import SoundPreprocess

FORM = SoundPreprocess(rate=RATE, max_samples=2 * RATE, min_samples=RATE // 4)


def test_a_recording_at_its_own_rate_is_not_touched():
    wave = tone(440)
    prepared, cut = FORM.prepare(clip_of((wave, RATE)))
    assert prepared.dtype == np.float32
    assert cut == 0
    assert np.array_equal(prepared, wave)


def test_another_rate_is_what_soxr_makes_of_the_whole_and_the_pitch_stays(tmp_path):
    wave = tone(440, 1.5, 44100)
    path = write(tmp_path / "a.wav", wave, 44100, subtype="FLOAT")
    prepared, cut = FORM.prepare(clip_of(path))
    whole = soxr.resample(wave, 44100, RATE, quality="HQ")
    assert cut == 0
    assert len(prepared) == len(whole)
    assert np.abs(prepared - whole).max() < 1e-5
    spectrum = np.abs(np.fft.rfft(prepared * np.hanning(len(prepared))))
    assert spectrum.argmax() * RATE / len(prepared) == pytest.approx(440, abs=1)


def test_channels_are_averaged():
    left, right = tone(300), tone(500)
    prepared, _ = FORM.prepare(clip_of((np.stack([left, right], axis=1), RATE)))
    assert np.allclose(prepared, (left + right) / 2, atol=1e-7)
    assert np.array_equal(FORM.prepare(clip_of((np.stack([left, right]), RATE)))[0], prepared)


@pytest.mark.parametrize("seconds", [2.0, 2.5, 7.3])
def test_what_is_too_long_is_cut_and_counted_or_seen_in_windows(seconds):
    wave = np.random.default_rng(0).normal(0, 0.1, round(seconds * RATE)).astype(np.float32)
    prepared, cut = FORM.prepare(clip_of((wave, RATE)))
    assert np.array_equal(prepared, wave[: 2 * RATE])
    assert cut == len(wave) - 2 * RATE
    windows = list(FORM.windows(clip_of((wave, RATE))))
    assert len(windows) == -(-len(wave) // (2 * RATE))
    assert all(np.array_equal(w.wave, wave[w.start : w.start + 2 * RATE]) for w in windows)
    assert sum(w.fresh for w in windows) == len(wave)
    assert windows[-1].start + len(windows[-1].wave) == len(wave)


def test_what_is_too_short_is_followed_by_silence():
    wave = tone(440, 0.1)
    prepared, cut = FORM.prepare(clip_of((wave, RATE)))
    assert (len(prepared), cut) == (RATE // 4, 0)
    assert np.array_equal(prepared[: len(wave)], wave)
    assert not prepared[len(wave) :].any()
    (window,) = FORM.windows(clip_of((wave, RATE)))
    assert np.array_equal(window.wave, prepared)
    (single,) = FORM.windows(clip_of((wave[:1], RATE)))
    assert len(single.wave) == RATE // 4
    with pytest.raises(DataError, match=r"no sound: 0 samples"):
        FORM.prepare(clip_of((wave[:0], RATE)))


def test_batches_are_padded_with_zeros_and_say_how_long_each_is():
    prepared = [FORM.prepare(clip_of((tone(440, s), RATE)))[0] for s in (0.5, 1.5, 0.1)]
    waves, samples = FORM.collate(prepared)
    assert (waves.dtype, samples.dtype) == (np.float32, np.int64)
    assert waves.shape == (3, 3 * RATE // 2)
    assert samples.tolist() == [RATE // 2, 3 * RATE // 2, RATE // 4]
    assert all(np.array_equal(row[:n], wave) for row, n, wave in zip(waves, samples, prepared, strict=True))
    assert not any(row[n:].any() for row, n in zip(waves, samples, strict=True))


def test_a_varied_recording_is_as_long_and_close_in_loudness_and_its_silence_stays():
    batch = FORM.collate([FORM.prepare(clip_of((tone(440, s), RATE)))[0] for s in (0.5, 1.0)])
    plain = batch[0].copy()
    FORM.vary(batch, 0, 0, np.random.default_rng(0))
    assert not np.array_equal(batch[0][0], plain[0])
    assert not batch[0][0, RATE // 2 :].any()
    assert np.array_equal(batch[0][1], plain[1])
    before, after = np.square(plain[0]).mean(), np.square(batch[0][0]).mean()
    assert 10 ** (-8 / 10) < after / before < 10 ** (8 / 10)


def test_variations_are_spread_over_their_ranges():
    """Over many draws: gain within 6 dB both ways, pitch within a tenth both ways, noise in about half."""
    wave = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE).astype(np.float32)
    gains, pitches, noisy = [], [], 0
    for seed in range(60):
        batch = FORM.collate([wave])
        FORM.vary(batch, 0, 0, np.random.default_rng(seed))
        middle = batch[0][0, 4000:12000].astype(np.float64)
        power = np.square(np.abs(np.fft.rfft(middle * np.hanning(8000))))
        peak = int(power.argmax())
        pitches.append(peak * RATE / 8000)
        gains.append(20 * np.log10(np.sqrt(power[peak - 3 : peak + 4].sum() / 6e6)))
        noisy += power[peak - 3 : peak + 4].sum() / power.sum() < 0.9995
    assert 900 <= min(pitches) < 930
    assert 1070 < max(pitches) <= 1100
    assert 9 < max(gains) - min(gains) <= 12.2
    assert 15 < noisy < 45


def test_it_is_the_same_after_a_round_through_json():
    assert preprocess_from_json(preprocess_to_json(FORM)) == FORM
    for field, value in [("rate", 0), ("max_samples", 1.5), ("min_samples", True)]:
        with pytest.raises(BackboneError, match=rf"preprocessing: {field} = "):
            preprocess_from_json(preprocess_to_json(FORM) | {field: value})


@pytest.mark.parametrize("form", [FORM, SoundPreprocess(rate=8000, max_samples=8000, min_samples=8000)])
def test_made_up_inputs_have_the_shapes_that_the_network_takes(form):
    for waves, samples in (form.largest(), form.example(), form.resized(form.largest(), 3, 7)):
        assert waves.dtype == torch.float32
        assert samples.dtype == torch.int64
        assert waves.shape == (len(samples), int(samples.max()))
        assert form.min_samples <= waves.shape[1] <= form.max_samples
    waves, samples = form.probe()
    assert waves.shape == (4, form.max_samples)
    assert samples[-2:].tolist() == [form.max_samples] * 2
    assert np.abs(waves).max() <= 1
    (prepared, _), several = form.prepare(clip_of((tone(200, 9, form.rate), form.rate))), form.max_samples > 8000
    assert form.length(prepared) == form.measure(form.largest())
    lengths = [form.measure(form.resized(form.largest(), 2, n)) for n in (5, 7)]
    assert lengths == ([5, 7] if several else [0, 0])


def test_the_card_says_what_is_heard():
    assert FORM.described("recordings") == (
        "recordings, one channel at 16,000 Hz, in windows of up to 2 s, whose features are averaged"
    )
