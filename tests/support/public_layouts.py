"""Random weights in the layouts of public checkpoints of WaveNet and Tacotron 2."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def public_wavenet(
    layers: int, channels: int, kernel: int, weight_norm: bool
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """A WaveNet's tensors, plain and as a checkpoint stores them, with or without weight norm: conditioning and what
    tells samples stand beside them."""
    gen = torch.Generator().manual_seed(0)
    shapes = {"first_conv": (channels, 256, 1)}
    for place in range(layers):
        start = f"conv_layers.{place}"
        shapes |= {f"{start}.conv": (2 * channels, channels, kernel), f"{start}.conv1x1c": (2 * channels, 80, 1)}
        shapes |= {f"{start}.conv1x1_out": (channels, channels, 1), f"{start}.conv1x1_skip": (6, channels, 1)}
    shapes |= {"last_conv_layers.1": (6, 6, 1), "last_conv_layers.3": (256, 6, 1)}
    plain: dict[str, Tensor] = {}
    stored: dict[str, Tensor] = {}
    for name, shape in shapes.items():
        v = torch.randn(shape, generator=gen)
        g = torch.rand(shape[0], 1, 1, generator=gen) + 0.5
        weight = v * g / v.square().sum((1, 2), keepdim=True).sqrt()
        bias = torch.randn(shape[0], generator=gen)
        plain |= {f"{name}.weight": weight, f"{name}.bias": bias}
        stored |= {f"{name}.weight_g": g, f"{name}.weight_v": v} if weight_norm else {f"{name}.weight": weight}
        stored[f"{name}.bias"] = bias
    return plain, stored


class PublicTacotron2(nn.Module):
    """The encoder as the public implementation for torch stores it, after the embedding of characters."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(nn.Sequential(Inner(width), nn.BatchNorm1d(width)) for _ in range(3))
        self.lstm = nn.LSTM(width, width // 2, 1, batch_first=True, bidirectional=True)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.convolutions:
            x = torch.relu(layer(x))
        return self.lstm(x.transpose(1, 2))[0]


class Inner(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width, width, 5, padding=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


def public_tacotron2(width: int) -> tuple[PublicTacotron2, dict[str, Tensor]]:
    """The encoder with random weights, and a whole checkpoint's tensors, some of the decoder's among them."""
    torch.manual_seed(1)
    public = PublicTacotron2(width).eval()
    for module in public.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    stored = {f"encoder.{name}": value for name, value in public.state_dict().items()}
    stored |= {
        "embedding.weight": torch.randn(148, width),
        "decoder.prenet.layers.0.linear_layer.weight": torch.randn(4, 4),
    }
    return public, stored
