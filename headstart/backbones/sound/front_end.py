"""From waves to mel spectrograms, a batch at a time: short-time Fourier transform, mel bands, a form of logarithm.

    X[t, k] = sum_n w[n] x[t hop + n] exp(-2 pi i k n / n_fft),    S = |X|^2 M,    M of `mel`

    power     S
    ln        ln max(S, floor)
    db        10 log10 max(S, floor), no further below the largest of the clip than `span` decibels
    whisper   L = log10 max(S, 1e-10);  L = max(L, max_clip L - 8);  (L + 4) / 4       (Radford et al., 2023)

What is computed of a clip does not depend on the silence that its batch adds: no frame goes beyond it but with zeros,
its largest value is its own, and frames behind its last are 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.backbones.sound.mel import Scale, mel_filters
from headstart.backbones.sound.spec_augment import SpecAugment

__all__ = ["FrontEnd", "Spectrum", "prefix_mask"]

Form = Literal["power", "ln", "db", "whisper"]
Edge = Literal["none", "zeros", "reflect", "reflect-start"]

_FORMS = ("power", "ln", "db", "whisper")
_EDGES = ("none", "zeros", "reflect", "reflect-start")


@dataclass(frozen=True, kw_only=True)
class Spectrum:
    """rate, n_fft, hop   samples a second, of a transform, from one frame to the next
    frame      samples of a frame, zeros behind them up to n_fft
    window     samples of the Hann window in the middle of a frame
    periodic   whether the window's period is `window` samples, else one less
    low, high, scale, by_area   as in `mel_filters`
    edge       what a frame sees before the first sample and behind the last: frames are centred on every `hop`-th
               sample with zeros, the mirrored wave, or mirrored at the start and zeros at the end; "none": only whole
               frames within the wave
    drop_last  the last frame of a clip is left out
    preemphasis, centre   of each frame: its mean is subtracted (centre), then x[n] - preemphasis x[n - 1]
    span       of "db", infinite where it is None

    ValueError for an unknown form or edge, and where window <= frame <= n_fft does not hold.
    """

    rate: int = 16000
    n_fft: int = 400
    frame: int = 400
    window: int = 400
    hop: int = 160
    mels: int = 80
    low: float = 0.0
    high: float = 8000.0
    scale: Scale = "slaney"
    by_area: bool = True
    form: Form = "ln"
    floor: float = 1e-10
    span: float | None = None
    edge: Edge = "zeros"
    drop_last: bool = False
    periodic: bool = True
    preemphasis: float = 0.0
    centre: bool = False

    def __post_init__(self) -> None:
        if self.form not in _FORMS or self.edge not in _EDGES:
            raise ValueError(
                f"form {self.form!r}, edge {self.edge!r}: expected {' or '.join(_FORMS)}, and {' or '.join(_EDGES)}"
            )
        if not 0 < self.window <= self.frame <= self.n_fft or self.hop < 1 or self.mels < 1:
            raise ValueError(
                f"window {self.window}, frame {self.frame}, n_fft {self.n_fft}, hop {self.hop}, mels {self.mels}: "
                "expected window <= frame <= n_fft, and at least 1 of each"
            )

    @classmethod
    def of(cls, spec: dict[str, Any]) -> Self:
        """From JSON; TypeError for an unknown key."""
        return cls(**spec)

    def spec(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @property
    def is_centred(self) -> bool:
        """Whether frames are centred on samples, so that the first begins before the wave."""
        return self.edge != "none"

    def frames(self, samples: Tensor) -> Tensor:
        """(N,) samples -> (N,) frames of each clip."""
        whole = samples if self.is_centred else samples - self.frame
        return whole.div(self.hop, rounding_mode="floor") + (0 if self.drop_last else 1)


class FrontEnd(nn.Module):
    """(waves (N, T) zero behind each clip's end, samples (N,) int64) -> (N, frames, mels) float32.

    augment   SpecAugment in training mode; None: never

    It holds no weight that learns and stays in float32, to which type ever a network is cast.
    """

    window: Tensor
    filters: Tensor
    basis: Tensor | None

    def __init__(self, spectrum: Spectrum, augment: SpecAugment | None = None) -> None:
        super().__init__()
        self.spectrum = spectrum
        self.augment = augment
        bank = mel_filters(
            spectrum.n_fft,
            spectrum.rate,
            spectrum.mels,
            low=spectrum.low,
            high=spectrum.high,
            scale=spectrum.scale,
            by_area=spectrum.by_area,
        )
        plain = spectrum.frame == spectrum.n_fft and not spectrum.preemphasis and not spectrum.centre
        basis = None if plain else torch.from_numpy(_basis(spectrum)).float()
        self.register_buffer("filters", torch.from_numpy(bank).float(), persistent=False)
        self.register_buffer("window", torch.from_numpy(_window(spectrum)).float(), persistent=False)
        self.register_buffer("basis", basis, persistent=False)

    def forward(self, waves: Tensor, samples: Tensor) -> Tensor:
        """The spectrogram; frames behind a clip's last are 0."""
        levels = self.plain(waves, samples)
        if not self.training or self.augment is None:
            return levels
        real = prefix_mask(self.spectrum.frames(samples), levels.shape[1])
        with torch.autocast(waves.device.type, enabled=False):
            return self.augment(levels, real).masked_fill(~real[:, :, None], 0.0)

    def plain(self, waves: Tensor, samples: Tensor) -> Tensor:
        """The same, never augmented."""
        with torch.autocast(waves.device.type, enabled=False):
            bands = self.power(waves.float()) @ self.filters
            real = prefix_mask(self.spectrum.frames(samples), bands.shape[1])[:, :, None]
            return self._levels(bands, real).masked_fill(~real, 0.0)

    def power(self, waves: Tensor) -> Tensor:
        """(N, T) -> (N, frames, n_fft // 2 + 1), |X|^2."""
        spectrum = self.spectrum
        waves = _with_edges(waves, spectrum)
        basis = self.basis
        if basis is None and torch.compiler.is_exporting():  # other programs multiply: few have the fast transform
            basis = torch.from_numpy(_basis(spectrum)).float()
        if basis is None:
            transformed = torch.stft(
                waves, spectrum.n_fft, spectrum.hop, window=self.window, center=False, return_complex=True
            )
            power: Tensor = torch.view_as_real(transformed).square().sum(-1).transpose(1, 2)
        else:
            real, imaginary = (waves.unfold(1, spectrum.frame, spectrum.hop) @ basis).chunk(2, 2)
            power = real.square() + imaginary.square()
        return power[:, :-1] if spectrum.drop_last else power

    def _levels(self, bands: Tensor, real: Tensor) -> Tensor:
        spectrum = self.spectrum
        if spectrum.form == "power":
            return bands
        if spectrum.form == "ln":
            return bands.clamp(min=spectrum.floor).log()
        levels = bands.clamp(min=1e-10 if spectrum.form == "whisper" else spectrum.floor).log10()
        levels = levels if spectrum.form == "whisper" else 10 * levels
        span = 8.0 if spectrum.form == "whisper" else spectrum.span
        if span is not None:
            largest = levels.masked_fill(~real, -torch.inf).amax((1, 2), keepdim=True)
            levels = torch.maximum(levels, largest - span)
        return (levels + 4) / 4 if spectrum.form == "whisper" else levels

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        exact = dict(self._buffers)
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        for name, value in exact.items():
            moved = self._buffers[name]
            if value is not None and moved is not None and moved.dtype != torch.float32:
                self._buffers[name] = value.to(moved.device)
        return self


def prefix_mask(counts: Tensor, length: int) -> Tensor:
    """(N,) -> (N, length): true in the first `counts` places of each row."""
    return torch.arange(length, device=counts.device) < counts[:, None]


def _with_edges(waves: Tensor, spectrum: Spectrum) -> Tensor:
    half = spectrum.n_fft // 2
    if spectrum.edge == "none":
        return waves
    if spectrum.edge == "zeros":
        return functional.pad(waves, (half, half))
    if spectrum.edge == "reflect":
        return functional.pad(waves, (half, half), mode="reflect")
    return functional.pad(functional.pad(waves, (half, 0), mode="reflect"), (0, half))


def _window(spectrum: Spectrum) -> Any:
    """(frame,) float64: the Hann window, zeros around it."""
    length, before = spectrum.window, (spectrum.frame - spectrum.window) // 2
    period = length if spectrum.periodic else length - 1
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / period)
    return np.pad(hann, (before, spectrum.frame - spectrum.window - before))


def _basis(spectrum: Spectrum) -> Any:
    """(frame, 2 bins) float64: what a frame is multiplied by for the real and the imaginary parts of X. Subtracting the
    mean and pre-emphasis are linear, and so are part of it."""
    size = spectrum.frame
    change = np.eye(size)
    if spectrum.centre:
        change -= 1 / size
    if spectrum.preemphasis:
        emphasis = np.eye(size) - spectrum.preemphasis * np.eye(size, k=1)
        emphasis[0, 0] = 1 - spectrum.preemphasis  # the sample before the first is taken to be like it
        change = change @ emphasis
    angle = 2 * np.pi * np.outer(np.arange(size), np.arange(spectrum.n_fft // 2 + 1)) / spectrum.n_fft
    return (change * _window(spectrum)) @ np.concatenate([np.cos(angle), -np.sin(angle)], 1)
