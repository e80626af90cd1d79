"""What a recording sounds like without any learning, in some hundred numbers: what a check of the data, and a model
without transfer, look at. Made in one pass, block by block, whatever its length.

    facts         seconds, peak, mean (DC offset), root mean square, share of clipped samples, seconds by the header
    fingerprint   power in 16 stretches of equal length x 24 mel bands up to 3.7 kHz, in dB, centred, of length 1: the
                  same at any gain
    description   of 20 MFCC: means, standard deviations, standard deviations of their slopes, means in each third; and
                  the logarithm of the length
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from headstart.data.waves import Wave, wave_blocks
from headstart.linalg.mel import BANDS, COEFFICIENTS, FLOOR, HOP, RATE, SPAN, cepstra, mel_power
from headstart.tasks.audio import Clip
from headstart.tasks.task import Array

__all__ = [
    "DESCRIPTION",
    "FACTS",
    "RECIPE",
    "WIDTH",
    "Facts",
    "Sketcher",
    "described",
    "facts_of",
    "fingerprints",
    "sketch",
]

RECIPE = 1
"""Raised by whoever changes what numbers come out: the cache keeps them apart."""

_STRETCHES, _FINGER_BANDS = 16, 24
FACTS, _FINGERPRINT = 6, _STRETCHES * _FINGER_BANDS
DESCRIPTION = 6 * COEFFICIENTS + 1
WIDTH = FACTS + _FINGERPRINT + DESCRIPTION
_BINS = 1024
_RANGE = 1e-5
"""Of power, under the loudest: what is fainter (50 dB) is not told apart."""
_FULL = 0.99
_SHORT = 0.01


class Facts(NamedTuple):
    """(N,) each; full scale is 1."""

    seconds: Array
    peak: Array
    mean: Array
    rms: Array
    clipped: Array
    declared: Array


def facts_of(sketches: Array) -> Facts:
    """Of sketches (N, WIDTH)."""
    return Facts(*np.asarray(sketches[:, :FACTS], np.float64).T)


def fingerprints(sketches: Array) -> Array:
    """(N, 384) of sketches."""
    return sketches[:, FACTS : FACTS + _FINGERPRINT]


def described(sketches: Array) -> Array:
    """(N, 121) of sketches; what is described already stays as it is."""
    return sketches if sketches.shape[1] == DESCRIPTION else sketches[:, FACTS + _FINGERPRINT :]


def sketch(clip: Clip) -> Wave:
    """(WIDTH,) float32 of one recording. `DataError` where it cannot be read."""
    sketcher = Sketcher(clip)
    deque(sketcher.blocks(), maxlen=0)
    return sketcher.finish()


class Sketcher:
    """Listens to the blocks of a recording while they are read, and sums them up."""

    def __init__(self, clip: Clip) -> None:
        self._clip = clip
        self._level = _Level()
        self._cepstra = _Cepstra()
        self._bins = _Bins(2 * BANDS)
        self._rest: Wave = np.empty(0, np.float32)

    def blocks(self) -> Iterator[Wave]:
        """The samples at 16 kHz, to be used elsewhere too."""
        for block in wave_blocks(self._clip, RATE, self._level.hear):
            wave = np.concatenate([self._rest, block])
            power = mel_power(wave)
            self._rest = wave[len(power) * HOP :]
            self._hear(power)
            yield block

    def finish(self) -> Wave:
        """What was heard."""
        if len(self._rest) > SPAN - HOP or not self._cepstra.frames:
            self._hear(mel_power(np.pad(self._rest, (0, max(0, SPAN - len(self._rest))))))
        seconds = self._level.frames / self._clip.rate
        thirds = cepstra(self._bins.means(3)[:, :BANDS]).ravel()
        parts = (
            [seconds, *self._level.summary(), self._clip.seconds],
            _fingerprint(self._bins.means(_STRETCHES)[:, BANDS:]),
            [*self._cepstra.summary(), *thirds, np.log(seconds + _SHORT)],
        )
        return np.concatenate([np.asarray(part, np.float32) for part in parts])

    def _hear(self, power: Wave) -> None:
        if len(power):
            log_power = np.log(np.maximum(power, FLOOR))
            self._cepstra.hear(cepstra(log_power))
            self._bins.add(np.concatenate([log_power, power], axis=1))


class _Level:
    """Peak, mean, power and clipping of the frames (n, channels) as they stand in the file."""

    def __init__(self) -> None:
        self.frames = 0
        self._peak = self._sum = self._squares = 0.0
        self._clipped = 0
        self._last: Wave | None = None

    def hear(self, frames: Wave) -> None:
        size = np.abs(frames)
        self._peak = max(self._peak, float(size.max(initial=0)))
        self._sum += float(frames.mean(axis=1, dtype=np.float64).sum())
        self._squares += float(np.square(frames, dtype=np.float64).mean(axis=1).sum())
        if self._peak >= _FULL:
            row = frames if self._last is None else np.concatenate([self._last, frames])
            self._clipped += int(((row[1:] == row[:-1]) & (np.abs(row[1:]) >= _FULL)).any(axis=1).sum())
        self._last = frames[-1:].copy()
        self.frames += len(frames)

    def summary(self) -> list[float]:
        """Peak, mean, root mean square, share of clipped frames: equal to the one before, at full scale."""
        count = max(1, self.frames)
        return [self._peak, self._sum / count, float(np.sqrt(self._squares / count)), self._clipped / count]


class _Cepstra:
    """Sums of coefficients (n, 20) and of their slopes, half the difference of the frames after and before."""

    def __init__(self) -> None:
        self.frames = 0
        self._slopes = 0
        self._sums = np.zeros((3, COEFFICIENTS))
        self._last = np.empty((0, COEFFICIENTS), np.float32)

    def hear(self, values: Wave) -> None:
        self.frames += len(values)
        row = np.concatenate([self._last, values])
        slope = (row[2:] - row[:-2]) / 2
        self._slopes += len(slope)
        self._sums += [x.sum(axis=0, dtype=np.float64) for x in (values, np.square(values), np.square(slope))]
        self._last = row[-2:]

    def summary(self) -> Array:
        """Means, standard deviations, and root mean squares of the slopes, (60,)."""
        mean, square = self._sums[:2] / max(1, self.frames)
        spread = np.sqrt(np.maximum(square - mean**2, 0))
        return np.concatenate([mean, spread, np.sqrt(self._sums[2] / max(1, self._slopes))])


class _Bins:
    """Sums of rows (n, width) in up to 1,024 bins of equally many rows, which double where there are more."""

    def __init__(self, width: int) -> None:
        self._sums = np.zeros((_BINS, width))
        self._full, self._size = 0, 1
        self._rest: npt.NDArray[np.floating] = np.empty((0, width))

    def add(self, rows: npt.NDArray[np.floating]) -> None:
        rows = np.concatenate([self._rest, rows])
        while len(rows) >= self._size:
            if self._full == _BINS:
                self._sums[: _BINS // 2] = self._sums[0::2] + self._sums[1::2]
                self._full, self._size = _BINS // 2, 2 * self._size
                continue
            count = min(len(rows) // self._size, _BINS - self._full)
            some = rows[: count * self._size].reshape(count, self._size, -1)
            self._sums[self._full : self._full + count] = some.sum(axis=1)
            self._full += count
            rows = rows[count * self._size :]
        self._rest = rows

    def means(self, parts: int) -> Array:
        """(parts, width) the means over stretches of equal length; what stands within a bin is spread evenly."""
        sums, counts = self._sums[: self._full], np.full(self._full, float(self._size))
        if len(self._rest):
            sums, counts = np.vstack([sums, self._rest.sum(axis=0)]), np.append(counts, len(self._rest))
        totals = np.vstack([np.zeros(sums.shape[1]), np.cumsum(sums, axis=0)])
        edges, ends = np.append(0, np.cumsum(counts)), np.linspace(0, counts.sum(), parts + 1)
        at = np.clip(np.searchsorted(edges, ends, side="right") - 1, 0, len(counts) - 1)
        share = ((ends - edges[at]) / counts[at])[:, None]
        upto = totals[at] + share * (totals[at + 1] - totals[at])
        return np.asarray(np.diff(upto, axis=0) / (counts.sum() / parts))


def _fingerprint(power: Array) -> Array:
    """(16, 40) power -> (384,)."""
    power = np.maximum(power[:, :_FINGER_BANDS], 0)
    level = np.log10(power + max(float(power.max()) * _RANGE, FLOOR**2))
    level -= level.mean()
    return np.asarray(level / max(float(np.linalg.norm(level)), 1e-9)).ravel()
