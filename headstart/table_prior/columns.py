"""From standardised inputs to columns as tables have them: skewed, counted, in categories, noisy, with gaps."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from headstart.table_prior.chance import Chance

__all__ = ["damaged", "in_levels", "warped"]

_WARPS = 7


def warped(chance: Chance, x: Tensor) -> Tensor:
    """(B, R, C) -> the same shape: about half the columns as they are, others skewed, flattened, counted or 0 and 1."""
    tasks, _, columns = x.shape
    kinds = chance.among(2 * _WARPS, tasks, 1, columns)
    steps = chance.scales(0.8, 4.0, tasks, 1, columns)
    cut = 0.8 * chance.normal(tasks, 1, columns)
    z = x.clamp(-5, 5)
    warps = (
        (chance.scales(0.3, 1.5, tasks, 1, columns) * z).exp(), z.pow(3), z.sign() * z.abs().sqrt(),
        (1.7 * z).sigmoid(), (steps * z).round(), (z > cut).to(x.dtype), (z - cut).relu(),
    )  # fmt: skip
    y = x
    for number, warp in enumerate(warps):
        y = torch.where(kinds == number, warp, y)
    return y


def in_levels(chance: Chance, x: Tensor, levels: int) -> tuple[Tensor, Tensor]:
    """Of inputs (B, R, G) cut into categories: (B, R, G) a number that stands for each level, drawn at random, and
    (B, R, G * levels) a column of 0 and 1 for each."""
    tasks, rows, groups = x.shape
    edges = chance.normal(tasks, 1, groups, levels - 1).sort(3).values
    level = (x[..., None] > edges).sum(3)
    stands = chance.normal(tasks, 1, groups, levels).expand(-1, rows, -1, -1)
    return stands.gather(3, level[..., None])[..., 0], F.one_hot(level, levels).to(x.dtype).flatten(2)


def damaged(chance: Chance, x: Tensor) -> Tensor:
    """(B, R, C) in random units, sometimes with outliers, and sometimes with cells that are NaN or a column's mean."""
    tasks, rows, columns = x.shape
    if chance.share(0.0, 1.0) < 0.15:
        far = chance.uniform(tasks, rows, columns) < 0.02 * chance.uniform(tasks, 1, columns)
        x = torch.where(far, x + 10 * chance.normal(tasks, rows, columns), x)
    if chance.share(0.0, 1.0) < 0.25:
        rate = (0.5 * chance.uniform(tasks, 1, columns) - 0.2).clamp_min(0.0)
        lean = chance.share(-1.0, 1.0) * (x > x.mean(1, keepdim=True)).to(x.dtype)
        gap = chance.uniform(tasks, rows, columns) < rate * (1 + lean)
        fill = torch.nan if chance.share(0.0, 1.0) < 0.5 else x.mean(1, keepdim=True)
        x = torch.where(gap, fill, x)
    return x * chance.scales(1e-3, 1e3, tasks, 1, columns) + chance.scales(1e-3, 1e2, tasks, 1, columns)
