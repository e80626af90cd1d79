"""Draws from one seed: the same numbers wherever and whenever they are asked for in the same order."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["Chance"]


class Chance:
    """A generator of tensors and of single numbers, on a device of torch."""

    def __init__(self, seed: int, device: str = "cpu") -> None:
        self.device = device
        self.generator = torch.Generator(device).manual_seed(seed)

    def normal(self, *shape: int) -> Tensor:
        """Standard normal, float32."""
        return torch.randn(*shape, generator=self.generator, device=self.device)

    def uniform(self, *shape: int) -> Tensor:
        """Between 0 and 1, float32."""
        return torch.rand(*shape, generator=self.generator, device=self.device)

    def among(self, count: int, *shape: int) -> Tensor:
        """Whole numbers from 0 below `count`, int64."""
        return torch.randint(count, shape, generator=self.generator, device=self.device)

    def share(self, low: float, high: float) -> float:
        """One number between two."""
        return low + (high - low) * float(self.uniform(1))

    def scale(self, low: float, high: float) -> float:
        """One number between two, uniform in its logarithm."""
        return math.exp(self.share(math.log(low), math.log(high)))

    def scales(self, low: float, high: float, *shape: int) -> Tensor:
        """The same for a tensor."""
        return (math.log(low) + math.log(high / low) * self.uniform(*shape)).exp()

    def whole(self, low: int, high: int) -> int:
        """One whole number from `low` below `high`."""
        return int(self.among(high - low, 1)) + low
