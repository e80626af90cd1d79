"""DAN (Long et al., 2015, equations 1 and 3): the mean embeddings of both domains are drawn together.

    min  L_y + weight MMD^2,   MMD^2 = mean k(x_s, x_s') + mean k(x_t, x_t') - 2 mean k(x_s, x_t)
    k(x, x') = 1/K sum_j exp(-|x - x'|^2 / (2^j s)),   s the mean of |x - x'|^2 over all pairs,   j = -K/2 .. K/2

Kernels of several widths are summed with equal shares. No adversary, so it is calm; needs batches that are not small,
and in parts of a batch it compares the domains part by part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from headstart.checks import at_least
from headstart.linalg.distances import expanded_among
from headstart.losses.domains import Between
from headstart.losses.penalty import Context
from headstart.losses.supervised import Needs, Supervised
from headstart.tasks import CLASSIFICATION, REGRESSION
from headstart.tasks.task import Kind

__all__ = ["DAN", "mmd"]


@dataclass(frozen=True, kw_only=True)
class DAN(Supervised):
    """weight   of the distance      kernels  K above"""

    weight: float = 1.0
    kernels: int = 5
    needs: ClassVar[Needs] = "target"
    kinds: ClassVar[tuple[Kind, ...]] = (CLASSIFICATION, REGRESSION)
    amounts: ClassVar[tuple[str, ...]] = ("l1", "l2", "weight")

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("kernels", self.kernels, 1)

    def start(self, context: Context) -> Between:
        """Nothing is kept between batches."""
        return Between(context.network, self, self.weight, lambda both: mmd(*both.parts(), self.kernels))


def mmd(x: Tensor, y: Tensor, kernels: int) -> Tensor:
    """MMD^2 of (n, D) and (m, D); 0 where they are the same rows."""
    z, n = torch.cat([x, y]), len(x)
    squared = expanded_among(z)
    s = squared.detach().mean().clamp_min(torch.finfo(z.dtype).tiny)
    widths = [2.0 ** (j - (kernels - 1) / 2) for j in range(kernels)]
    k = torch.stack([torch.exp(-squared / (width * s)) for width in widths]).mean(0)
    return k[:n, :n].mean() + k[n:, n:].mean() - 2 * k[:n, n:].mean()
