"""MobileNetV2 (Sandler et al., 2018) and EfficientNet-Lite0 (Tan and Le, 2019) in plain torch: what timm's networks of
these names compute, without its import, which takes longer than a picture.

    h = relu6(BN(conv_1x1 x));  h = relu6(BN(conv_depthwise h));  x' = BN(conv_1x1 h)  [+ x where the shapes agree]

Weights have the names that they have there, so that a stored backbone is the same whichever computes it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional

__all__ = ["PLAIN", "InvertedResiduals"]


class Stage(NamedTuple):
    """Blocks of so many output channels, of which the first has the stride.

    expansion   channels within a block, per channel that comes in; 1: no convolution expands
    """

    blocks: int
    channels: int
    kernel: int = 3
    stride: int = 1
    expansion: int = 6


class Shape(NamedTuple):
    """padded   "same", as in TensorFlow: a stride of 2 pads more at the lower and right edge; or "even"
    eps        of the batch norms
    """

    stages: tuple[Stage, ...]
    padded: str
    eps: float


PLAIN = {
    "tf_efficientnet_lite0": Shape(
        (
            Stage(1, 16, expansion=1),
            Stage(2, 24, stride=2),
            Stage(2, 40, kernel=5, stride=2),
            Stage(3, 80, stride=2),
            Stage(3, 112, kernel=5),
            Stage(4, 192, kernel=5, stride=2),
            Stage(1, 320),
        ),
        padded="same",
        eps=1e-3,
    ),
    "mobilenetv2_100": Shape(
        (
            Stage(1, 16, expansion=1),
            Stage(2, 24, stride=2),
            Stage(3, 32, stride=2),
            Stage(4, 64, stride=2),
            Stage(3, 96),
            Stage(3, 160, stride=2),
            Stage(1, 320),
        ),
        padded="even",
        eps=1e-5,
    ),
}
"""By their names in timm."""


class InvertedResiduals(nn.Module):
    """(N, 3, H, W) -> (N, 1280)."""

    STEM, WIDTH = 32, 1280

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.conv_stem = _convolution(shape, 3, self.STEM, kernel=3, stride=2)
        self.bn1 = _NormRelu6(self.STEM, eps=shape.eps)
        stages, channels = [], self.STEM
        for stage in shape.stages:
            blocks: list[nn.Module] = []
            for index in range(stage.blocks):
                kind = _Separable if stage.expansion == 1 else _Block
                blocks.append(kind(shape, stage, channels, stage.stride if index == 0 else 1))
                channels = stage.channels
            stages.append(nn.Sequential(*blocks))
        self.blocks = nn.Sequential(*stages)
        self.conv_head = _convolution(shape, channels, self.WIDTH)
        self.bn2 = _NormRelu6(self.WIDTH, eps=shape.eps)
        self._initialise()

    def forward(self, pixels: Tensor) -> Tensor:
        x = self.bn1(self.conv_stem(pixels))
        x = self.bn2(self.conv_head(self.blocks(x)))
        return functional.adaptive_avg_pool2d(x, 1).flatten(1)

    def parameter_groups(self) -> list[list[str]]:
        """Names of parameters by stage, as timm groups them: what stands above the blocks belongs to the last."""
        names = [name for name, _ in self.named_parameters()]
        last = len(self.blocks) - 1
        of = [0 if name.startswith(("conv_stem", "bn1")) else 1 + _block(name, last) for name in names]
        return [[name for name, at in zip(names, of, strict=True) if at == stage] for stage in range(last + 2)]

    def _initialise(self) -> None:
        """Normal of variance 2 over what each output of a group feeds (He et al., 2015)."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                fan_out = math.prod(module.kernel_size) * module.out_channels // module.groups
                nn.init.normal_(module.weight, 0.0, math.sqrt(2 / fan_out))


def _block(name: str, last: int) -> int:
    place = name.split(".")
    return int(place[1]) if place[0] == "blocks" else last


class _Block(nn.Module):
    def __init__(self, shape: Shape, stage: Stage, channels: int, stride: int) -> None:
        super().__init__()
        self.has_skip = stride == 1 and channels == stage.channels
        within = channels * stage.expansion
        self.conv_pw = _convolution(shape, channels, within)
        self.bn1 = _NormRelu6(within, eps=shape.eps)
        self.conv_dw = _convolution(shape, within, within, kernel=stage.kernel, stride=stride, groups=within)
        self.bn2 = _NormRelu6(within, eps=shape.eps)
        self.conv_pwl = _convolution(shape, within, stage.channels)
        self.bn3 = nn.BatchNorm2d(stage.channels, eps=shape.eps)

    def forward(self, x: Tensor) -> Tensor:
        h: Tensor = self.bn2(self.conv_dw(self.bn1(self.conv_pw(x))))
        h = self.bn3(self.conv_pwl(h))
        return h + x if self.has_skip else h


class _Separable(nn.Module):
    def __init__(self, shape: Shape, stage: Stage, channels: int, stride: int) -> None:
        super().__init__()
        self.has_skip = stride == 1 and channels == stage.channels
        self.conv_dw = _convolution(shape, channels, channels, kernel=stage.kernel, stride=stride, groups=channels)
        self.bn1 = _NormRelu6(channels, eps=shape.eps)
        self.conv_pw = _convolution(shape, channels, stage.channels)
        self.bn2 = nn.BatchNorm2d(stage.channels, eps=shape.eps)

    def forward(self, x: Tensor) -> Tensor:
        h: Tensor = self.bn2(self.conv_pw(self.bn1(self.conv_dw(x))))
        return h + x if self.has_skip else h


class _NormRelu6(nn.BatchNorm2d):
    """One module, so that what leaves it is not changed in place by the next."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.hardtanh(super().forward(x), 0.0, 6.0, inplace=True)

    def without_norm(self) -> nn.Module:
        """What is left of it where the norm is folded into the convolution before it."""
        return nn.Hardtanh(0.0, 6.0, inplace=True)


class Conv2dSame(nn.Conv2d):
    """Padded as TensorFlow does, by what the size of the picture needs."""

    def forward(self, x: Tensor) -> Tensor:
        pads: list[int] = []
        for size, kernel, stride in zip(reversed(x.shape[-2:]), self.kernel_size, self.stride, strict=True):
            pad = kernel - 1 - (size - 1) % stride
            pads += [pad // 2, pad - pad // 2]
        return super().forward(functional.pad(x, pads))


def _convolution(
    shape: Shape, channels: int, out: int, *, kernel: int = 1, stride: int = 1, groups: int = 1
) -> nn.Conv2d:
    if shape.padded == "same" and stride > 1:
        return Conv2dSame(channels, out, kernel, stride, groups=groups, bias=False)
    return nn.Conv2d(channels, out, kernel, stride, padding=kernel // 2, groups=groups, bias=False)
