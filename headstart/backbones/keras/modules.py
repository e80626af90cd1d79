"""The layers of Keras that torch does not have so: padding as TensorFlow pads, maps with the channels at the end.

Maps are (N, C, H, W) here and (N, H, W, C) in Keras; rows (N, D) are the same in both.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["ACTIVATIONS", "BGR", "Affine", "Convolution", "Joined", "LastAxis", "LayerScale", "Norm", "Pool", "Reshape"]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": lambda x: x,
    "relu": F.relu,
    "relu6": F.relu6,
    "elu": F.elu,
    "selu": F.selu,
    "gelu": F.gelu,
    "silu": F.silu,
    "swish": F.silu,
    "sigmoid": torch.sigmoid,
    "hard_sigmoid": F.hardsigmoid,
    "hard_silu": F.hardswish,
    "hard_swish": F.hardswish,
    "tanh": torch.tanh,
    "softplus": F.softplus,
    "softmax": lambda x: torch.softmax(x, 1 if x.ndim == 4 else -1),
    "log_softmax": lambda x: torch.log_softmax(x, 1 if x.ndim == 4 else -1),
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
    "exponential": torch.exp,
    "mish": F.mish,
}
"""By their names in Keras 3."""


class Convolution(nn.Module):
    """A convolution, or a depthwise one and then a pointwise one, with an activation."""

    def __init__(self, convolutions: list[nn.Conv2d], *, same: bool, activation: str) -> None:
        super().__init__()
        self.conv = convolutions[0]
        self.pointwise = convolutions[1] if len(convolutions) > 1 else None
        self.same = same
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        if self.same:
            x = _padded(x, self.conv.kernel_size, self.conv.stride, self.conv.dilation, 0.0)
        x = self.conv(x)
        if self.pointwise is not None:
            x = self.pointwise(x)
        return ACTIVATIONS[self.activation](x)


class Pool(nn.Module):
    """The maximum, or the mean, over windows of a map; padding counts in neither."""

    def __init__(self, size: tuple[int, int], stride: tuple[int, int], *, same: bool, maximum: bool) -> None:
        super().__init__()
        self.size, self.stride, self.same, self.maximum = size, stride, same, maximum

    def forward(self, x: Tensor) -> Tensor:
        if self.maximum:
            x = _padded(x, self.size, self.stride, (1, 1), -torch.inf) if self.same else x
            return F.max_pool2d(x, self.size, self.stride)
        if not self.same:
            return F.avg_pool2d(x, self.size, self.stride)
        inside = torch.ones_like(x[:1, :1])
        shares = F.avg_pool2d(_padded(inside, self.size, self.stride, (1, 1), 0.0), self.size, self.stride)
        return F.avg_pool2d(_padded(x, self.size, self.stride, (1, 1), 0.0), self.size, self.stride) / shares


class LastAxis(nn.Module):
    """A module that works on the last axis, which is the second one of a map, with an activation."""

    def __init__(self, layer: nn.Module, activation: str) -> None:
        super().__init__()
        self.layer = layer
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2) if x.ndim == 4 else self.layer(x)
        return ACTIVATIONS[self.activation](x)


class Norm(nn.Module):
    """(x - mean) / sqrt(variance), by channel; both are data."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mean: Tensor
        self.variance: Tensor
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        shape = (1, -1, 1, 1) if x.ndim == 4 else (1,) * (x.ndim - 1) + (-1,)
        return (x - self.mean.reshape(shape)) / self.variance.sqrt().clamp_min(1e-7).reshape(shape)


class Affine(nn.Module):
    """scale x + offset; numbers, or one of each by channel."""

    def __init__(self, scale: float | list[float], offset: float | list[float]) -> None:
        super().__init__()
        self.scale, self.offset = scale, offset

    def forward(self, x: Tensor) -> Tensor:
        return x * _by_channel(self.scale, x) + _by_channel(self.offset, x)


class LayerScale(nn.Module):
    """x gamma, by channel (Touvron et al., 2021)."""

    def __init__(self, channels: int, initial: float) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.full((channels,), initial))

    def forward(self, x: Tensor) -> Tensor:
        return x * (self.gamma[:, None, None] if x.ndim == 4 else self.gamma)


class Joined(nn.Module):
    """Several inputs as one: "add", "subtract", "multiply", "average", "maximum", "minimum", "concatenate"; of two
    "scaled" is the first and `scale` times the second."""

    def __init__(self, how: str, scale: float = 1.0) -> None:
        super().__init__()
        self.how, self.scale = how, scale

    def forward(self, *inputs: Tensor) -> Tensor:
        first, *others = inputs
        if self.how == "concatenate":
            return torch.cat(inputs, 1 if first.ndim == 4 else -1)
        if self.how == "scaled":
            return first + self.scale * others[0]
        if self.how in ("add", "average"):
            total = sum(others, first)
            return total / len(inputs) if self.how == "average" else total
        for other in others:
            first = _PAIRS[self.how](first, other)
        return first


class Reshape(nn.Module):
    """In the order of Keras, with the channels at the end; no shape: all in one row."""

    def __init__(self, shape: list[int] | None) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        x = x.permute(0, 2, 3, 1) if x.ndim == 4 else x
        if self.shape is None:
            return x.flatten(1)
        x = x.reshape(x.shape[0], *self.shape)
        return x.permute(0, 3, 1, 2) if x.ndim == 4 else x


class BGR(nn.Module):
    """Red, green and blue the other way round."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flip(1)


_PAIRS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "subtract": torch.sub,
    "multiply": torch.mul,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
}


def _by_channel(value: float | list[float], x: Tensor) -> Tensor | float:
    if not isinstance(value, list):
        return value
    values = torch.tensor(value, dtype=x.dtype, device=x.device)
    return values[:, None, None] if x.ndim == 4 else values


def _padded(
    x: Tensor, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...], fill: float
) -> Tensor:
    """As "same" does: ceil(length / stride) places, and of an odd number the one more at the end."""
    sizes = []
    for length, size, step, gap in zip(x.shape[2:], kernel, stride, dilation, strict=True):
        total = max((math.ceil(int(length) / step) - 1) * step + (size - 1) * gap + 1 - int(length), 0)
        sizes.append((total // 2, total - total // 2))
    (top, bottom), (left, right) = sizes
    return F.pad(x, (left, right, top, bottom), value=fill) if any((top, bottom, left, right)) else x
