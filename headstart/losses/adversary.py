"""A small network that tells source from target, behind a reversed gradient (Ganin et al., 2016, section 4).

R_c(x) = x,   dR_c / dx = -c,   c = weight (2 / (1 + exp(-sharp p)) - 1),   p from 0 to 1 over the training
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.checks import at_least, positive
from headstart.losses.supervised import Needs, Supervised

__all__ = ["Adversarial", "adversary", "ramp", "reverse", "told_apart"]

_STREAM = 2


@dataclass(frozen=True, kw_only=True)
class Adversarial(Supervised):
    """weight   of the reversed gradient, in the end
    sharp    how fast it gets there
    width    of the two hidden layers of the adversary
    rate     how much faster it learns than the backbone's last stage
    """

    weight: float = 1.0
    sharp: float = 10.0
    width: int = 128
    rate: float = 10.0
    needs: ClassVar[Needs] = "target"
    amounts: ClassVar[tuple[str, ...]] = ("l1", "l2", "weight", "sharp")

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("width", self.width, 1)
        positive("rate", self.rate)

    def reversed(self, x: Tensor, done: float) -> Tensor:
        """R_c(x) where so much of the training is over."""
        return reverse(x, self.weight * ramp(done, self.sharp))


def ramp(done: float, sharp: float) -> float:
    """2 / (1 + exp(-sharp p)) - 1: from 0 to about 1."""
    return 2 / (1 + math.exp(-sharp * done)) - 1


def reverse(x: Tensor, by: float) -> Tensor:
    """The same values; what comes back through them is multiplied by -by."""
    same = x.view_as(x)
    if same.requires_grad:
        same.register_hook(partial(torch.mul, other=-by))  # type: ignore[no-untyped-call]
    return same


def adversary(inputs: int, width: int, seed: int, like: Tensor) -> nn.Sequential:
    """(N, inputs) -> (N, 1) logits of being of the target, on the device of `like`; drawn apart from all else."""
    drawn = int(np.random.default_rng([seed, _STREAM]).integers(2**62))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(drawn)
        made = nn.Sequential(
            nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1)
        )
    return made.to(like.device)


def told_apart(logits: Tensor, target: Tensor, weights: Tensor | None = None) -> Tensor:
    """The cross-entropy of the domains, the mean of its means over either, where rows count by weights (N,)."""
    each = functional.binary_cross_entropy_with_logits(logits.float(), target.float(), reduction="none")
    w = torch.ones_like(each) if weights is None else weights
    s, t = ~target, target
    return ((each[s] * w[s]).sum() / w[s].sum() + (each[t] * w[t]).sum() / w[t].sum()) / 2
