"""The preprocessing of sound: from a recording to one channel of samples at the rate that a backbone takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from headstart.data.waves import Wave, first_samples, wave_blocks
from headstart.preprocessing.preprocess import Preprocess, Schema
from headstart.tasks import AUDIO, Modality
from headstart.tasks.audio import Clip
from headstart.tasks.modality import Array

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["SoundPreprocess", "Window"]

PROBES = 4
_NAMED = 4
_GAIN = 6.0
_NOISY, _SNR = 0.5, (10.0, 30.0)
_SHIFT = 0.1
_SPEED = (0.9, 1.1)


def _whole(low: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and low <= value < 1 << 31


_SCHEMA: Schema = {
    "rate": (_whole(1000), "a whole number of samples a second, from 1000"),
    "max_samples": (_whole(1), "a whole number of samples"),
    "min_samples": (_whole(1), "a whole number of samples"),
}


class Window(NamedTuple):
    """A part of a recording.

    wave   float32 (T,), as `SoundPreprocess.prepare` gives it
    start  its first sample
    fresh  how many of its samples were in no window before
    """

    wave: Wave
    start: int
    fresh: int


@dataclass(frozen=True, kw_only=True)
class SoundPreprocess(Preprocess):
    """From a recording to float32 samples at `rate`, full scale at 1, of all channels the mean.

    rate          samples a second (Hz)
    max_samples   of the longest input; longer recordings are cut, or seen in `windows`
    min_samples   of the shortest; shorter recordings are followed by silence

    Varied: speed (Ko et al., 2015), gain, shift in time, and white noise at a signal-to-noise ratio of 10 to 30 dB, of
    the same length as before.
    """

    kind: ClassVar[str] = "sound"
    modality: ClassVar[Modality] = AUDIO
    schema: ClassVar[Schema] = _SCHEMA

    rate: int
    max_samples: int
    min_samples: int

    def shortened(self, seconds: float) -> SoundPreprocess:
        """The same for parts of at most so many seconds of a recording, as far as the shortest may be."""
        return replace(self, max_samples=max(self.min_samples, min(self.max_samples, round(seconds * self.rate))))

    def prepare(self, item: Clip) -> tuple[Wave, int]:
        """The first `max_samples` of a recording, float32 (T,), and how many samples are behind them. `DataError` where
        it cannot be read. See `Preprocess`, as all that follows."""
        wave, cut = first_samples(item, self.rate, self.max_samples)
        return self._padded(wave), cut

    def windows(self, item: Clip, heard: Iterator[Wave] | None = None) -> Iterator[Window]:
        """All of a recording in windows of `max_samples`, one behind the other; the last ends where it ends, and so
        begins before the one before it ended. Only one or two are held at a time.

        heard   the blocks of its samples where somebody listens to them too
        """
        held, start, done = np.empty(0, np.float32), 0, 0
        blocks: list[Wave] = [held]
        for block in wave_blocks(item, self.rate) if heard is None else heard:
            blocks.append(block)
            if sum(map(len, blocks)) <= 2 * self.max_samples:
                continue
            held = np.concatenate(blocks)
            while len(held) > 2 * self.max_samples:  # so that the last window has enough before it
                yield Window(held[: self.max_samples].copy(), start, self.max_samples)
                held, start = held[self.max_samples :], start + self.max_samples
            blocks = [held]
        held, done = np.concatenate(blocks), start
        for first in range(0, len(held), self.max_samples):
            begin = max(0, min(first, len(held) - self.max_samples))
            part = held[begin : begin + self.max_samples]
            end = start + begin + len(part)
            yield Window(self._padded(part.copy()), start + begin, end - done)
            done = end

    def length(self, prepared: Array) -> int:
        return self._steps(len(prepared))

    def collate(self, prepared: Sequence[Array]) -> tuple[Array, ...]:
        """Samples float32 (N, T) with silence behind the shorter ones, and how many of them are the recording's, int64
        (N,)."""
        samples = np.array([len(wave) for wave in prepared], np.int64)
        waves = np.zeros((len(prepared), int(samples.max(initial=self.min_samples))), np.float32)
        for row, wave in zip(waves, prepared, strict=True):
            row[: len(wave)] = wave
        return waves, samples

    def vary(self, batch: tuple[Array, ...], place: int, length: int, rng: np.random.Generator) -> None:
        wave = batch[0][place, : batch[1][place]]
        x = _at_speed(wave, rng.uniform(*_SPEED))
        x = _shifted(x, round(rng.uniform(-_SHIFT, _SHIFT) * len(x)))
        noise, ratio, noisy = rng.standard_normal(len(x)), rng.uniform(*_SNR), rng.random() < _NOISY
        if noisy:
            x = x + noise * np.sqrt(np.square(x).mean() / 10 ** (ratio / 10))
        wave[:] = x * 10 ** (rng.uniform(-_GAIN, _GAIN) / 20)

    def largest(self) -> tuple[Tensor, ...]:
        import torch

        return torch.zeros(1, self.max_samples), torch.tensor([self.max_samples])

    def measured(self) -> tuple[Tensor, ...]:
        """A short one: a pass over the longest takes seconds."""
        return self.resized(self.largest(), 1, 8)

    def probe(self) -> tuple[Array, ...]:
        """`PROBES` recordings of gliding tones with some noise, two of them as long as there may be."""
        rng = np.random.default_rng(0)
        lengths = np.linspace(self.min_samples, self.max_samples, PROBES - 1).astype(int).tolist()
        return self.collate([_made_up(length, self.rate, rng) for length in [*lengths, self.max_samples]])

    def measure(self, inputs: tuple[Tensor, ...]) -> int:
        return self._steps(int(inputs[0].shape[1]))

    def resized(self, inputs: tuple[Tensor, ...], rows: int, length: int) -> tuple[Tensor, ...]:
        """Silence stays silence; nothing is behind the recording."""
        import torch

        samples = min(self.max_samples, self.min_samples + length * self._step)
        wave = inputs[0][:1].repeat(rows, -(-samples // inputs[0].shape[1]))[:, :samples]
        return wave, torch.full((rows,), samples)

    def note(self, inputs: Sequence[Any]) -> str:
        rates = Counter(clip.rate for clip in inputs if clip.rate != self.rate)
        mixed = sum(clip.channels > 1 for clip in inputs)
        long = sum(clip.seconds * self.rate > self.max_samples + 1 for clip in inputs)
        kinds = ", ".join(f"{count:,} of {rate:,} Hz" for rate, count in sorted(rates.items())[:_NAMED])
        more = ", and more" if len(rates) > _NAMED else ""
        parts = [
            f"resampled to {self.rate:,} Hz: {kinds}{more}" if rates else "",
            f"{mixed:,} of several channels, which are averaged" if mixed else "",
            f"{long:,} longer than {self.max_samples / self.rate:.3g} s, heard in windows" if long else "",
        ]
        return "recordings: " + "; ".join(filter(None, parts)) if any(parts) else ""

    def described(self, inputs: str) -> str:
        windows = f"windows of up to {self.max_samples / self.rate:.3g} s, whose features are averaged"
        return f"{inputs}, one channel at {self.rate:,} Hz, in {windows}"

    @property
    def _step(self) -> int:
        """Samples by which `resized` inputs differ: enough to tell what of a network depends on length, 0.1 s at most;
        0 where all inputs have one length."""
        return min(self.rate // 10, (self.max_samples - self.min_samples) // 8)

    def _steps(self, samples: int) -> int:
        return (samples - self.min_samples) // self._step if self._step else 0

    def _padded(self, wave: Wave) -> Wave:
        missing = self.min_samples - len(wave)
        return wave if missing <= 0 else np.pad(wave, (0, missing))


def _at_speed(wave: Wave, speed: float) -> Array:
    """As long as before: what is faster is followed by silence, what is slower is cut."""
    return np.asarray(np.interp(np.arange(len(wave)) * speed, np.arange(len(wave)), wave, right=0.0))


def _shifted(wave: Array, by: int) -> Array:
    """Later by so many samples, or earlier, with silence where nothing is."""
    moved = np.zeros_like(wave)
    if by >= 0:
        moved[by:] = wave[: len(wave) - by]
    else:
        moved[:by] = wave[-by:]
    return moved


def _made_up(length: int, rate: int, rng: np.random.Generator) -> Wave:
    at = np.arange(length) / rate
    low, high = rng.uniform(80, rate / 8), rng.uniform(80, rate / 4)
    glide = np.sin(2 * np.pi * (low + (high - low) * at / max(at[-1], 1 / rate) / 2) * at)
    loudness = np.sin(np.pi * np.linspace(0, rng.integers(1, 4), length)) ** 2
    return np.asarray(0.3 * glide * loudness + rng.normal(0, 0.01, length), np.float32)
