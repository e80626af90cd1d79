"""Mel spectrograms and cepstral coefficients of sound, in NumPy, a block of samples after the other.

power   |FFT of a Hann window of 25 ms|^2, every 10 ms, in triangles of equal width in mel = 2595 log10(1 + f / 700)
MFCC    orthonormal cosine transform of log power (Davis and Mermelstein, 1980)
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

__all__ = ["BANDS", "COEFFICIENTS", "FLOOR", "HOP", "RATE", "SPAN", "cepstra", "mel_edges", "mel_power"]

Array = npt.NDArray[np.float32]

RATE = 16000
"""Samples a second that all of this is for."""

SPAN, HOP = 400, 160
"""Samples of a frame, and from one to the next."""

BANDS, COEFFICIENTS = 40, 20
FLOOR = 1e-10
"""Of power: log power is that of no less."""

_SIZE = 512
_LOW, _HIGH = 60.0, 7600.0


def mel_power(wave: npt.NDArray[np.floating]) -> Array:
    """(T,) samples -> (n, 40) power of all frames that lie in them whole, n = 1 + (T - 400) // 160, or 0."""
    if len(wave) < SPAN:
        return np.empty((0, BANDS), np.float32)
    window, filters = _constants()
    frames = np.lib.stride_tricks.sliding_window_view(np.asarray(wave, np.float32), SPAN)[::HOP]
    spectrum = np.fft.rfft(frames * window, _SIZE, axis=1)
    return np.asarray((spectrum.real**2 + spectrum.imag**2) @ filters, np.float32)


def cepstra(log_power: npt.NDArray[np.floating]) -> Array:
    """(n, 40) natural logarithms of power -> (n, 20) coefficients."""
    return np.asarray(log_power @ _cosines(), np.float32)


def mel_edges() -> npt.NDArray[np.float64]:
    """(42,) Hz: band i rises from edge i to i + 1, and falls to i + 2."""
    low, high = (2595 * np.log10(1 + f / 700) for f in (_LOW, _HIGH))
    return np.asarray(700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1))


@lru_cache(maxsize=1)
def _constants() -> tuple[Array, Array]:
    """The window (400,), and how much each frequency counts in each band (257, 40)."""
    window = np.hanning(SPAN + 1)[:-1]
    edges, frequencies = mel_edges(), np.arange(_SIZE // 2 + 1)[:, None] * RATE / _SIZE
    rising = (frequencies - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - frequencies) / np.diff(edges)[1:]
    filters = np.clip(np.minimum(rising, falling), 0, None) / (window**2).sum()
    return window.astype(np.float32), filters.astype(np.float32)


@lru_cache(maxsize=1)
def _cosines() -> Array:
    """(40, 20): orthonormal, type II."""
    k, n = np.arange(COEFFICIENTS)[None], np.arange(BANDS)[:, None]
    scale = np.sqrt(np.where(k == 0, 1, 2) / BANDS)
    return np.asarray(scale * np.cos(np.pi * k * (2 * n + 1) / (2 * BANDS)), np.float32)
