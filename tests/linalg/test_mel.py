"""Mel power and cepstra, against sums written out."""

from __future__ import annotations

import numpy as np
from tones import RATE, tone

from headstart.linalg.mel import BANDS, COEFFICIENTS, HOP, SPAN, cepstra, mel_edges, mel_power


def plain_power(wave: np.ndarray) -> np.ndarray:
    """Frame by frame and band by band: the discrete Fourier transform as its sum, triangles as their definition."""
    window = np.array([0.5 - 0.5 * np.cos(2 * np.pi * n / SPAN) for n in range(SPAN)])
    edges, rows = mel_edges(), []
    frequencies = [k * RATE / 512 for k in range(257)]
    basis = np.exp(-2j * np.pi * np.outer(np.arange(257), np.arange(SPAN)) / 512)
    for start in range(0, len(wave) - SPAN + 1, HOP):
        power = np.abs(basis @ (window * wave[start : start + SPAN].astype(np.float64))) ** 2 / (window**2).sum()
        row = []
        for low, middle, high in zip(edges, edges[1:], edges[2:], strict=False):
            weights = [
                (f - low) / (middle - low)
                if low < f <= middle
                else (high - f) / (high - middle)
                if middle < f < high
                else 0
                for f in frequencies
            ]
            row.append(np.dot(weights, power))
        rows.append(row)
    return np.array(rows)


def test_power_is_that_of_the_sums_written_out():
    wave = tone(700, 0.08) + np.random.default_rng(0).normal(0, 0.1, 1280).astype(np.float32)
    power, expected = mel_power(wave), plain_power(wave)
    assert power.shape == expected.shape == (1 + (1280 - SPAN) // HOP, BANDS)
    assert np.abs(power / expected - 1).max() < 1e-3


def test_bands_are_equally_wide_in_mel_and_cover_speech():
    mel = 2595 * np.log10(1 + mel_edges() / 700)
    assert np.allclose(np.diff(mel), np.diff(mel)[0])
    assert mel_edges()[[0, -1]].round().tolist() == [60, 7600]


def test_a_tone_is_loudest_in_its_band():
    edges = mel_edges()
    for band in (5, 15, 25, 35):
        wave = np.sin(2 * np.pi * edges[band + 1] * np.arange(RATE) / RATE)
        assert (mel_power(wave).argmax(axis=1) == band).all()


def test_cepstra_are_the_cosine_transform():
    rows = np.random.default_rng(0).normal(size=(5, BANDS))
    n = np.arange(BANDS)
    scale = [np.sqrt((1 if k == 0 else 2) / BANDS) for k in range(COEFFICIENTS)]
    expected = [
        [scale[k] * (row * np.cos(np.pi * k * (2 * n + 1) / (2 * BANDS))).sum() for k in range(COEFFICIENTS)]
        for row in rows
    ]
    assert np.allclose(cepstra(rows), expected, atol=1e-5)


def test_what_is_shorter_than_a_frame_has_none():
    assert mel_power(np.zeros(SPAN - 1)).shape == (0, BANDS)
    assert mel_power(np.zeros(SPAN)).shape == (1, BANDS)
