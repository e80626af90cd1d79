"""GE2E (Wan et al., 2018): who speaks. Three LSTMs over mel frames, a window of 1.6 seconds at a time.

    e_w = relu(W h_160 + b) / |.|,   h_160 the last state of window w;   e = sum_w e_w / |.|

A window begins every .8 seconds; the last has to be covered to three quarters. Clips below -30 dB are made that loud
before, as they were in its training.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional

from headstart.backbones.sound.encoder import SoundEncoder, at_least
from headstart.backbones.sound.front_end import FrontEnd, Spectrum
from headstart.backbones.sound.pooling import mean_over_time

__all__ = ["GE2E", "renamed"]

_WINDOW, _STEP, _COVERED = 160, 80, 120
"""Frames of a window, from one to the next, and that a clip needs for one behind its first."""

_LOUDNESS = 10 ** (-30 / 20)
"""The root of the mean square to which a quiet clip is raised, full scale being 1."""

_SPECTRUM = Spectrum(mels=40, form="power", edge="zeros")


class GE2E(SoundEncoder):
    """(waves (N, T) at 16 kHz in -1 ... 1, samples (N,)) -> (N, 256), of length 1."""

    WIDTH: ClassVar[int] = 256
    LAYERS: ClassVar[int] = 3

    def __init__(self) -> None:
        super().__init__()
        self.front_end = FrontEnd(_SPECTRUM)
        inputs = [_SPECTRUM.mels, *[self.WIDTH] * (self.LAYERS - 1)]
        self.layers = nn.ModuleList(_Windowed(size, self.WIDTH) for size in inputs)
        self.linear = nn.Linear(self.WIDTH, self.WIDTH)

    def forward(self, waves: Tensor, samples: Tensor) -> Tensor:
        count = waves.shape[1] // _SPECTRUM.hop + 1
        windows = max(1, (count - _COVERED) // _STEP + 1)
        x = self._frames(waves, samples, windows)
        for layer in self.layers:
            x = layer(x)
        last = x[:, _WINDOW - 1 :: _WINDOW]
        each = functional.normalize(functional.relu(self.linear(last)), dim=2)
        return functional.normalize(mean_over_time(each, _windows(samples)), dim=1)

    def counts(self, after: str, samples: Tensor) -> Tensor:
        return _windows(samples) * (1 if after == "linear" else _WINDOW)

    def _frames(self, waves: Tensor, samples: Tensor, windows: int) -> Tensor:
        """(N, windows * 160, 40): the frames of each window, one window after the other."""
        waves = waves.float()
        loudness = (waves.square().sum(1) / samples.clamp(min=1)).sqrt()
        gain = (_LOUDNESS / loudness.clamp(min=1e-8)).clamp(min=1.0)
        frames = _STEP * (windows - 1) + _WINDOW
        waves = at_least(waves * gain[:, None], frames * _SPECTRUM.hop)[:, : frames * _SPECTRUM.hop]
        levels: Tensor = self.front_end(waves, samples)[:, :frames]
        return levels.to(self.dtype).unfold(1, _WINDOW, _STEP).transpose(2, 3).flatten(1, 2)


class _Windowed(nn.Module):
    """An LSTM that begins anew in each window: (N, windows * 160, C) -> (N, windows * 160, width)."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(inputs, width, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        states, _ = self.lstm(x.reshape(-1, _WINDOW, x.shape[2]))
        out: Tensor = states.reshape(x.shape[0], -1, states.shape[2])
        return out


def _windows(samples: Tensor) -> Tensor:
    frames = samples.div(_SPECTRUM.hop, rounding_mode="floor") + 1
    return ((frames - _COVERED).div(_STEP, rounding_mode="floor") + 1).clamp(min=1)


def renamed(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights of the published encoder by the names that they have here, without those of its loss."""
    weights = {}
    for name, tensor in tensors.items():
        if name.startswith("lstm."):
            part, _, layer = name.removeprefix("lstm.").rpartition("_l")
            weights[f"layers.{layer}.lstm.{part}_l0"] = tensor
        elif not name.startswith("similarity_"):
            weights[name] = tensor
    return weights
