"""Speech embeddings for keywords (Lin et al., 2020): 96 numbers for each window of 76 frames, a window every 8.

    x = db / 10 + 2,   db of 32 mel bands, 60 to 3800 Hz
    h' = max(leaky(W * h + b), -.4),   twenty convolutions along frequency and time in turn, pooled between

The convolutions take no zeros in along time, and what is pooled there shrinks eightfold: a pass over the whole clip
gives every window exactly, and none is computed twice. Batch norms are folded into the weights, as they are published.
Full scale of the waves is 1. The levels in decibels tell that from the range of 16-bit integers, in which some feed it:
of one-shot words, in that range, .60 were right, and .70 in this.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.backbones.sound.encoder import SoundEncoder
from headstart.backbones.sound.front_end import FrontEnd, Spectrum
from headstart.backbones.sound.pooling import mean_over_time

__all__ = ["SpeechEmbedding", "renamed"]

_CHANNELS = (24, 48, 72, 96, 96)
_POOLS = ((2, 2), (1, 2), (2, 2), (1, 2), (2, 2))
"""By block, of time and of frequency."""

_SPECTRUM = Spectrum(n_fft=512, frame=512, mels=32, low=60.0, high=3800.0, form="db", span=80.0, edge="none")


class SpeechEmbedding(SoundEncoder):
    """(waves (N, T) at 16 kHz in -1 ... 1, samples (N,)) -> (N, 96), the mean over the windows of a clip.

    Silence of .4 seconds is put before and behind a clip, so that windows begin before it and end after it as they do
    in a stream: of spoken words that was better than windows within alone (of one-shot words, .70 were right for .35).
    """

    WINDOW: ClassVar[int] = 76
    AROUND: ClassVar[int] = 6400

    def __init__(self) -> None:
        super().__init__()
        self.front_end = FrontEnd(_SPECTRUM)
        blocks = [_Block(1, _CHANNELS[0], _POOLS[0], first=True)]
        blocks += [_Block(a, b, pool) for (a, b), pool in zip(pairwise(_CHANNELS), _POOLS[1:], strict=True)]
        self.blocks = nn.Sequential(*blocks)
        self.last = nn.Conv2d(_CHANNELS[-1], 96, (3, 1), bias=False)

    def forward(self, waves: Tensor, samples: Tensor) -> Tensor:
        windows = self.windows(self.spectrogram(waves, samples))
        return mean_over_time(windows, self.counts("last", samples))

    def spectrogram(self, waves: Tensor, samples: Tensor) -> Tensor:
        """(N, frames, 32), of the clip with the silence around it."""
        waves = functional.pad(waves.float(), (self.AROUND, self.AROUND))
        levels: Tensor = self.front_end(waves, samples + 2 * self.AROUND)
        return levels / 10 + 2

    def windows(self, levels: Tensor) -> Tensor:
        """(N, frames, 32) -> (N, windows, 96)"""
        maps: Tensor = self.last(self.blocks(levels.to(self.dtype)[:, None]))
        return maps.squeeze(3).transpose(1, 2)

    def counts(self, after: str, samples: Tensor) -> Tensor:
        count = _SPECTRUM.frames(samples + 2 * self.AROUND)
        place = len(_POOLS) if after == "last" else int(after.split(".")[1]) + 1
        for over_time, _ in _POOLS[:place]:
            count = (count - 4).div(over_time, rounding_mode="floor")
        return count - 2 if after == "last" else count


class _Block(nn.Module):
    """(N, C, frames, bands) -> (N, filters, (frames - 4) // pool, bands // pool): two pairs of convolutions, the first
    of a pair along frequency and the second along time; of the very first block one of 3 x 3 and one pair."""

    def __init__(self, channels: int, filters: int, pool: tuple[int, int], *, first: bool = False) -> None:
        super().__init__()
        shapes: Sequence[tuple[int, int]] = ((3, 3), (1, 3), (3, 1)) if first else ((1, 3), (3, 1), (1, 3), (3, 1))
        self.convolutions = nn.ModuleList(
            nn.Conv2d(channels if place == 0 else filters, filters, shape, padding=(0, 1 if shape[1] == 3 else 0))
            for place, shape in enumerate(shapes)
        )
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        for convolution in self.convolutions:
            x = torch.clamp(functional.leaky_relu(convolution(x), 0.2), min=-0.4)
        return functional.max_pool2d(x, self.pool)


def renamed(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights of the published ONNX file by the names that they have here."""
    names = {}
    sizes = (3, 4, 4, 4, 4)
    starts = [sum(sizes[:block]) for block in range(len(sizes))]
    for block, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        for place in range(size):
            theirs = f"model/conv2d{f'_{start + place}' if start + place else ''}/Conv2D"
            names[f"{theirs}_weights_fused_bn"] = f"blocks.{block}.convolutions.{place}.weight"
            names[f"{theirs}_bias_fused_bn"] = f"blocks.{block}.convolutions.{place}.bias"
    names["model/conv2d_19/Conv2D/ReadVariableOp:0"] = "last.weight"
    return {names.get(name, name): tensor for name, tensor in tensors.items() if not name.startswith("const_fold_opt")}
