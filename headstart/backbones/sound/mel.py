"""Mel filter banks: triangles that are evenly spaced on a scale of pitch.

htk      m(f) = 2595 log10(1 + f / 700)                                       (O'Shaughnessy, 1987; HTK)
kaldi    m(f) = 1127 ln(1 + f / 700), the triangles straight in m, not in f   (Povey et al., 2011)
slaney   m(f) = 3 f / 200 below 1000 Hz, 15 + 27 ln(f / 1000) / ln 6.4 above  (Slaney, 1998, Auditory Toolbox)
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Scale", "mel_filters"]

Scale = Literal["htk", "kaldi", "slaney"]

_SCALES = ("htk", "kaldi", "slaney")
_BREAK, _SLOPE, _AT_BREAK, _LOG_STEP = 1000.0, 3 / 200, 15.0, math.log(6.4) / 27
_Floats = NDArray[np.floating[Any]]


def mel_filters(
    n_fft: int, rate: int, mels: int, *, low: float, high: float, scale: Scale, by_area: bool = False
) -> _Floats:
    """(n_fft // 2 + 1, mels): how much each frequency of a spectrum counts in each band.

    low, high   the ends of the lowest and of the highest triangle, in Hz
    by_area     each triangle has the area 1 over f (Slaney), else the height 1

    ValueError for an unknown scale, and where low and high are not 0 <= low < high.
    """
    if scale not in _SCALES:
        raise ValueError(f"scale {scale!r}: expected one of {', '.join(_SCALES)}")
    if not 0 <= low < high:
        raise ValueError(f"bands from {low} to {high} Hz: expected 0 <= low < high")
    frequencies = np.arange(n_fft // 2 + 1, dtype=np.float64) * (rate / n_fft)
    lowest, highest = _mel(np.array([low, high]), scale).tolist()
    points: _Floats = np.linspace(lowest, highest, mels + 2).astype(np.float64)
    at, corners = (_mel(frequencies, scale), points) if scale == "kaldi" else (frequencies, _hertz(points, scale))
    lower, centre, upper = corners[:-2], corners[1:-1], corners[2:]
    rising = (at[:, None] - lower) / (centre - lower)
    falling = (upper - at[:, None]) / (upper - centre)
    filters: _Floats = np.maximum(0, np.minimum(rising, falling))
    return filters * (2 / (upper - lower)) if by_area else filters


def _mel(hertz: _Floats, scale: Scale) -> _Floats:
    if scale == "slaney":
        above = _AT_BREAK + np.log(np.maximum(hertz, _BREAK) / _BREAK) / _LOG_STEP
        return np.where(hertz < _BREAK, hertz * _SLOPE, above)
    mel: _Floats = _factor(scale) * np.log1p(hertz / 700)
    return mel


def _hertz(mel: _Floats, scale: Scale) -> _Floats:
    if scale == "slaney":
        above = _BREAK * np.exp((np.maximum(mel, _AT_BREAK) - _AT_BREAK) * _LOG_STEP)
        return np.where(mel < _AT_BREAK, mel / _SLOPE, above)
    hertz: _Floats = 700 * np.expm1(mel / _factor(scale))
    return hertz


def _factor(scale: Scale) -> float:
    return 1127.0 if scale == "kaldi" else 2595 / math.log(10)
