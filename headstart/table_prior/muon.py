"""Muon (Jordan et al., 2024): momentum whose singular values are all made about 1, for matrices of hidden layers.

    m <- mu m + g        u = g + mu m        W <- W (1 - rate decay) - rate 0.2 sqrt(max(a, b)) NS(u)

NS is five steps of X <- a X + (b A + c A A) X with A = X X^T, from X = u / |u|. In float32, and matrices of one shape
together: torch's own rounds to bfloat16, which takes a CPU without it longer than the gradients.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["Muon", "orthogonal"]

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonal(update: Tensor, steps: int = 5) -> Tensor:
    """(K, A, B) matrices with their singular values brought near 1."""
    a, b, c = _COEFFICIENTS
    tall = update.shape[1] > update.shape[2]
    x = update.transpose(1, 2) if tall else update
    x = x / (x.flatten(1).norm(dim=1)[:, None, None] + 1e-7)
    for _ in range(steps):
        gram = x @ x.transpose(1, 2)
        x = a * x + (b * gram + c * gram @ gram) @ x
    result: Tensor = x.transpose(1, 2) if tall else x
    return result


class Muon(torch.optim.Optimizer):
    """For parameters (A, B); `lr` is about that of AdamW."""

    def __init__(
        self, parameters: Iterable[nn.Parameter], *, lr: float = 1e-3, momentum: float = 0.95, decay: float = 0.0
    ) -> None:
        super().__init__(list(parameters), {"lr": lr, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One step by the gradients that there are."""
        for group in self.param_groups:
            of_shape: dict[tuple[int, ...], list[Tensor]] = {}
            for parameter in group["params"]:
                of_shape.setdefault(tuple(parameter.shape), []).append(parameter)
            for shape, parameters in of_shape.items():
                updates = orthogonal(torch.stack([self._looked(p, group["momentum"]) for p in parameters]))
                updates *= 0.2 * max(shape) ** 0.5
                for parameter, update in zip(parameters, updates, strict=True):
                    parameter.mul_(1 - group["lr"] * group["decay"]).add_(update, alpha=-group["lr"])

    def _looked(self, parameter: Tensor, share: float) -> Tensor:
        """u above; the momentum moves on."""
        gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        momentum: Tensor = self.state[parameter].setdefault("momentum", torch.zeros_like(parameter))
        momentum.mul_(share).add_(gradient)
        return gradient + share * momentum
