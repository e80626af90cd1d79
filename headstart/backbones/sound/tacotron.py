"""The encoders of Tacotron (Wang et al., 2017) and Tacotron 2 (Shen et al., 2018) over mel frames.

    CBHG       prenet; y = sum over k = 1 ... K of relu(BN(conv_k x)) side by side; the larger of two neighbours; two
               convolutions, + x; highways h' = t relu(W_h h) + (1 - t) h, t = sigmoid(W_t h); a GRU of both directions
    tacotron2  x = W mel; three times relu(BN(conv_5 x)); an LSTM of both directions

Their papers put them over characters, CBHG over mel frames as well. Features are the mean of the states over a clip.
Frames behind a clip are zero for every convolution, as they are where the clip is alone.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.backbones.sound.encoder import SoundEncoder
from headstart.backbones.sound.front_end import FrontEnd, Spectrum, prefix_mask
from headstart.backbones.sound.pooling import mean_over_time
from headstart.backbones.sound.spec_augment import SpecAugment

__all__ = ["CBHG", "CBHG_KEYS", "TACOTRON2_KEYS", "OverFrames", "Tacotron2Encoder", "renamed"]

CBHG_KEYS = ("width", "bank", "highways")
TACOTRON2_KEYS = ("width", "layers", "kernel")
_DROPOUT = 0.5


class OverFrames(SoundEncoder):
    """What both have in common: log-mel frames in, and one state a frame."""

    SPECTRUM: ClassVar[Spectrum] = Spectrum(form="ln", floor=1e-5, edge="zeros")

    def __init__(self) -> None:
        super().__init__()
        self.front_end = FrontEnd(self.SPECTRUM, SpecAugment())

    def frames(self, waves: Tensor, samples: Tensor) -> tuple[Tensor, Tensor]:
        """(N, L, mels), 0 behind a clip's last, and (N,) how many are of each clip."""
        levels: Tensor = self.front_end(waves, samples)
        return levels.to(self.dtype), self.counts("", samples)

    def forward(self, waves: Tensor, samples: Tensor) -> Tensor:
        levels, counts = self.frames(waves, samples)
        return mean_over_time(self.states(levels, counts), counts)

    @abstractmethod
    def states(self, levels: Tensor, counts: Tensor) -> Tensor:
        """(N, L, mels) and (N,) frames of each clip -> (N, L, D)."""

    def counts(self, after: str, samples: Tensor) -> Tensor:
        return self.SPECTRUM.frames(samples)


class CBHG(OverFrames):
    """(waves (N, T) at 16 kHz, samples (N,)) -> (N, 2 width).

    width      of the prenet's second layer and of everything above
    bank       K, the widest convolution of the bank
    highways   how many
    """

    def __init__(self, sizes: dict[str, int]) -> None:
        super().__init__()
        width = sizes["width"]
        self.prenet = nn.ModuleList([nn.Linear(self.SPECTRUM.mels, 2 * width), nn.Linear(2 * width, width)])
        self.bank = nn.ModuleList(_ConvNorm(width, width, size + 1) for size in range(sizes["bank"]))
        self.projections = nn.ModuleList([_ConvNorm(sizes["bank"] * width, width, 3), _ConvNorm(width, width, 3)])
        self.highways = nn.ModuleList(_Highway(width) for _ in range(sizes["highways"]))
        self.recurrent = _Recurrent(nn.GRU(width, width, batch_first=True, bidirectional=True))

    def states(self, levels: Tensor, counts: Tensor) -> Tensor:
        """See `OverFrames`."""
        x = levels
        for linear in self.prenet:
            x = functional.dropout(functional.relu(linear(x)), _DROPOUT, self.training)
        real = prefix_mask(counts, x.shape[1])[:, :, None]
        x = x * real
        y = torch.cat([functional.relu(part(x)) for part in self.bank], 2) * real
        y = torch.maximum(y, functional.pad(y[:, :-1], (0, 0, 1, 0))) * real
        y = functional.relu(self.projections[0](y)) * real
        y = self.projections[1](y) + x
        for highway in self.highways:
            y = highway(y)
        states: Tensor = self.recurrent(y, counts)
        return states

    def parameter_groups(self) -> list[list[str]]:
        """Names of parameters by stage: what stands before the highways, each highway, the GRU."""
        return _grouped(self, ["highways", "recurrent"])


class Tacotron2Encoder(OverFrames):
    """(waves (N, T) at 16 kHz, samples (N,)) -> (N, width).

    width     of everything
    layers    convolutions, of `kernel` frames each
    """

    def __init__(self, sizes: dict[str, int]) -> None:
        super().__init__()
        width = sizes["width"]
        if width % 2:
            raise ValueError(f"width {width}: expected an even number, half of it for each direction")
        self.inputs = nn.Linear(self.SPECTRUM.mels, width)
        self.convolutions = nn.ModuleList(_ConvNorm(width, width, sizes["kernel"]) for _ in range(sizes["layers"]))
        self.recurrent = _Recurrent(nn.LSTM(width, width // 2, batch_first=True, bidirectional=True))

    def states(self, levels: Tensor, counts: Tensor) -> Tensor:
        """See `OverFrames`."""
        real = prefix_mask(counts, levels.shape[1])[:, :, None]
        x = self.inputs(levels) * real
        for layer in self.convolutions:
            x = functional.dropout(functional.relu(layer(x)), _DROPOUT, self.training) * real
        states: Tensor = self.recurrent(x, counts)
        return states

    def parameter_groups(self) -> list[list[str]]:
        """Names of parameters by stage: the projection, each convolution, the LSTM."""
        return _grouped(self, ["convolutions", "recurrent"])


class _ConvNorm(nn.Module):
    """(N, L, C) -> (N, L, filters): a convolution along L, and its batch norm."""

    def __init__(self, channels: int, filters: int, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels, filters, kernel)
        self.norm = nn.BatchNorm1d(filters)
        self.around = ((kernel - 1) // 2, kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        normed: Tensor = self.norm(self.conv(functional.pad(x.transpose(1, 2), self.around)))
        return normed.transpose(1, 2)


class _Highway(nn.Module):
    """(N, L, width) -> the same (Srivastava et al., 2015). At first it lets through."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.transform = nn.Linear(width, width)
        self.gate = nn.Linear(width, width)
        nn.init.constant_(self.gate.bias, -1.0)

    def forward(self, h: Tensor) -> Tensor:
        t = torch.sigmoid(self.gate(h))
        return t * functional.relu(self.transform(h)) + (1 - t) * h


class _Recurrent(nn.Module):
    """An LSTM or GRU of both directions, backwards from each clip's own end: (N, L, C) -> (N, L, 2 width)."""

    def __init__(self, layer: nn.LSTM | nn.GRU) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor, counts: Tensor) -> Tensor:
        packed = nn.utils.rnn.pack_padded_sequence(x, counts.cpu(), batch_first=True, enforce_sorted=False)
        states, _ = self.layer(packed)
        out, _ = nn.utils.rnn.pad_packed_sequence(states, batch_first=True, total_length=x.shape[1])
        return out


def _grouped(module: nn.Module, chains: list[str]) -> list[list[str]]:
    names = [name for name, _ in module.named_parameters()]
    starts = [f"{name}." for chain in chains for name, _ in _parts(module, chain)]
    first = [name for name in names if not name.startswith(tuple(starts))]
    return [first, *[[name for name in names if name.startswith(start)] for start in starts]]


def _parts(module: nn.Module, chain: str) -> list[tuple[str, nn.Module]]:
    child = module.get_submodule(chain)
    if not isinstance(child, nn.ModuleList):
        return [(chain, child)]
    return [(f"{chain}.{name}", part) for name, part in child.named_children()]


def renamed(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The encoder's weights of a Tacotron 2 checkpoint of the public layout by the names that they have here. The
    embedding of its characters has no use for sounds: the projection of mel frames is not among them."""
    weights = {}
    for name, tensor in tensors.items():
        part = name.removeprefix("encoder.")
        if part == name:
            continue
        if part.startswith("lstm."):
            weights[f"recurrent.layer.{part.removeprefix('lstm.')}"] = tensor
            continue
        chain, place, of_two, rest = part.split(".", 3)
        ours = f"norm.{rest}" if of_two == "1" else rest  # 0.conv.weight is of the convolution, 1.weight of its norm
        weights[f"{chain}.{place}.{ours}"] = tensor
    return weights
