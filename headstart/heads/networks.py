"""Several small networks on the same inputs, side by side: M networks of one hidden layer as four tensors."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from headstart.tasks.task import Array, Kind

__all__ = ["Networks", "row_losses"]


class Networks:
    """M networks (D, H, C), drawn as `torch.nn.Linear` draws: uniform in +-1 / sqrt(fan in)."""

    def __init__(self, count: int, widths: tuple[int, int, int], generator: torch.Generator) -> None:
        d, hidden, c = widths
        self.shape = (count, hidden)
        self.generator = generator
        self.weights = [self._drawn((d, count * hidden), d), self._drawn((count, hidden, c), hidden)]
        self.biases = [self._drawn((count * hidden,), d), self._drawn((count, 1, c), hidden)]

    def __call__(self, x: Tensor, dropout: float = 0.0) -> Tensor:
        """(B, D) -> logits (M, B, C); with dropout, each network and row leaves out hidden units of its own."""
        h = torch.relu(torch.addmm(self.biases[0], x, self.weights[0])).view(len(x), *self.shape).transpose(0, 1)
        if dropout:
            alive = torch.rand(h.shape, generator=self.generator, dtype=torch.float32) >= dropout
            h = h * alive / (1 - dropout)
        return torch.baddbmm(self.biases[1], h, self.weights[1])

    def last(self) -> dict[str, Array]:
        """A copy of the last network: "weight.0" (D, H), "bias.0" (H,), "weight.1" (H, C), "bias.1" (C,)."""
        hidden = self.shape[1]
        tensors = (self.weights[0][:, -hidden:], self.biases[0][-hidden:], self.weights[1][-1], self.biases[1][-1, 0])
        names = ("weight.0", "bias.0", "weight.1", "bias.1")
        return {name: tensor.detach().numpy().copy() for name, tensor in zip(names, tensors, strict=True)}

    def _drawn(self, shape: tuple[int, ...], fan_in: int) -> Tensor:
        uniform = torch.rand(shape, generator=self.generator, dtype=torch.float32) * 2 - 1
        drawn: Tensor = uniform / np.sqrt(fan_in)
        return drawn.requires_grad_()


def row_losses(z: Tensor, targets: Tensor, kind: Kind) -> Tensor:
    """Logits (M, B, C) and targets (B,), (B, C) or (B, 1) -> the loss of each row in each network, (M, B)."""
    if kind.exclusive:
        m, b, c = z.shape
        return functional.cross_entropy(z.reshape(m * b, c), targets.repeat(m), reduction="none").view(m, b)
    repeated = targets.expand_as(z)
    if kind.several:
        return functional.binary_cross_entropy_with_logits(z, repeated, reduction="none").mean(dim=2)
    return functional.mse_loss(z, repeated, reduction="none").mean(dim=2)
