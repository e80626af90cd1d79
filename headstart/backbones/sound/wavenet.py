"""WaveNet (van den Oord et al., 2016) as a backbone: dilated causal convolutions over mu-law samples.

    z = tanh(W_f * x) . sigmoid(W_g * x),    x' = (W_r z + x) sqrt(1/2),    dilation 2^(k mod L)
    s = sum_k W_s z_k / sqrt(K)

The features are the mean of the skips s over the samples of a clip. What a place puts out depends only on what came
before it, so silence behind a clip changes nothing.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.backbones.sound.encoder import SoundEncoder
from headstart.backbones.sound.pooling import mean_over_time

__all__ = ["KEYS", "WaveNet", "mu_law", "renamed"]

KEYS = ("residual", "gate", "skip", "layers", "stacks", "kernel", "classes")


class WaveNet(SoundEncoder):
    """(waves (N, T) in -1 ... 1, samples (N,)) -> (N, skip).

    residual, gate, skip   channels; gate those of both halves together
    layers, stacks         layers in all; in each stack the dilation doubles from 1
    kernel                 samples that a convolution sees
    classes                of the mu-law, 256 in the paper
    """

    def __init__(self, sizes: dict[str, int]) -> None:
        super().__init__()
        self.classes = sizes["classes"]
        self.first_conv = _OfClasses(self.classes, sizes["residual"])
        each = sizes["layers"] // sizes["stacks"]
        if each * sizes["stacks"] != sizes["layers"] or sizes["gate"] % 2:
            raise ValueError(f"{sizes}: expected as many layers in each stack, and an even number of gate channels")
        self.conv_layers = nn.ModuleList(
            _Layer(sizes, dilation=2 ** (place % each)) for place in range(sizes["layers"])
        )

    def forward(self, waves: Tensor, samples: Tensor) -> Tensor:
        return mean_over_time(self.skips(waves), samples)

    def skips(self, waves: Tensor) -> Tensor:
        """(N, T) -> s (N, T, skip): each place from its own sample and those before it."""
        x: Tensor = self.first_conv(mu_law(waves, self.classes))
        skips = x.new_zeros(())
        for layer in self.conv_layers:
            x, skip = layer(x)
            skips = skips + skip
        return skips / math.sqrt(len(self.conv_layers))

    def counts(self, after: str, samples: Tensor) -> Tensor:
        return samples


class _OfClasses(nn.Conv1d):
    """A convolution over one place, of classes (N, T) int64 that stand for columns of zeros and one 1 -> (N, T, C)."""

    def __init__(self, classes: int, channels: int) -> None:
        super().__init__(classes, channels, 1)

    def forward(self, classes: Tensor) -> Tensor:
        columns = functional.embedding(classes, self.weight[:, :, 0].transpose(0, 1))
        return columns if self.bias is None else columns + self.bias


class _Layer(nn.Module):
    """(N, T, residual) -> that, and (N, T, skip)."""

    def __init__(self, sizes: dict[str, int], dilation: int) -> None:
        super().__init__()
        half = sizes["gate"] // 2
        self.conv = nn.Conv1d(sizes["residual"], sizes["gate"], sizes["kernel"], dilation=dilation)
        self.conv1x1_out = nn.Conv1d(half, sizes["residual"], 1)
        self.conv1x1_skip = nn.Conv1d(half, sizes["skip"], 1)
        self.before = (sizes["kernel"] - 1) * dilation

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = x.transpose(1, 2)
        filtered, gate = self.conv(functional.pad(h, (self.before, 0))).chunk(2, 1)
        z = torch.tanh(filtered) * torch.sigmoid(gate)
        out = (self.conv1x1_out(z) + h) * math.sqrt(0.5)
        return out.transpose(1, 2), self.conv1x1_skip(z).transpose(1, 2)


def mu_law(waves: Tensor, classes: int) -> Tensor:
    """Waves in -1 ... 1 -> classes int64: sign(x) ln(1 + mu |x|) / ln(1 + mu), mu = classes - 1, rounded down."""
    mu = classes - 1
    x = waves.float().clamp(-1, 1)
    compressed = x.sign() * torch.log1p(mu * x.abs()) / math.log1p(mu)
    return ((compressed + 1) / 2 * mu).long()


def renamed(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a checkpoint of the public layout, without those that condition it and that tell samples.

    Where they are kept as weight norm (Salimans and Kingma, 2016), v g / |v| is put together again.
    """
    weights = {}
    for name, tensor in tensors.items():
        path = name.removesuffix("_g").removesuffix("_v") if name.endswith(("weight_g", "weight_v")) else name
        if not path.startswith(("first_conv.", "conv_layers.")) or ".conv1x1c." in path or ".conv1x1g." in path:
            continue
        if name.endswith("weight_g"):
            direction = tensors[f"{path}_v"]
            length = direction.flatten(1).norm(dim=1).view(-1, *[1] * (direction.ndim - 1))
            weights[path] = direction * tensor / length
        elif not name.endswith("weight_v"):
            weights[path] = tensor
    return weights
