"""What the network is told of each cell: where it stands among the cells of its column, and whether it is there.

    z = (x - mean) / std        r = 2 F(x) - 1        of the context's cells alone: moments and the empirical F

so that units, monotone warps and outliers matter little, and rows outside the context change nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["CELL", "Cells", "cells_of"]

FARTHEST = 4.0
CELL = 6
"""How many numbers a cell is told by."""


class Cells(NamedTuple):
    """scaled   (B, R, C) z within `FARTHEST`, 0 where missing
    ranks    (B, R, C) r in [-1, 1], 0 where missing
    told     (B, R, C, CELL) what the network reads
    """

    scaled: Tensor
    ranks: Tensor
    told: Tensor


def cells_of(x: Tensor, context: int) -> Cells:
    """Of tables (B, R, C) float32, NaN where a cell is missing, whose first rows are the context."""
    missing = ~torch.isfinite(x)
    present = ~missing[:, :context]
    count = present.sum(1, keepdim=True).clamp_min(1)
    start = torch.where(missing, 0.0, x)
    centre = start[:, :context].sum(1, keepdim=True) / count
    moved = torch.where(missing, 0.0, x - centre)
    spread = (moved[:, :context].square().sum(1, keepdim=True) / count).sqrt()
    constant = spread <= 1e-6 * centre.abs() + 1e-12
    scaled = torch.where(constant, 0.0, moved / spread.clamp_min(1e-12))
    ranks = torch.where(missing | constant, 0.0, _ranks(start, missing, context))
    z = scaled.clamp(-FARTHEST, FARTHEST)
    log = scaled.sign() * scaled.abs().log1p()
    cell_inputs = torch.stack([z, log, ranks, (torch.pi * ranks).sin(), (torch.pi * ranks).cos(), missing.float()], -1)
    return Cells(z, ranks, cell_inputs)


def _ranks(x: Tensor, missing: Tensor, context: int) -> Tensor:
    """2 F(x) - 1 with F, at a value of the context, half way between the shares of known cells below and up to it, and
    a straight line from each value to the next: a step would make rounding matter."""
    order = torch.where(missing, torch.inf, x)[:, :context].transpose(1, 2).contiguous().sort(-1).values
    queries = x.transpose(1, 2).contiguous()
    count = (~missing[:, :context]).sum(1).clamp_min(1)[:, :, None]
    middle = (torch.searchsorted(order, order) + torch.searchsorted(order, order, right=True)) / 2
    above = torch.searchsorted(order, queries)
    high, low = torch.minimum(above, count - 1), (above - 1).clamp_min(0)
    start, end = order.gather(2, low), order.gather(2, high)
    share = ((queries - start) / (end - start)).nan_to_num(0.0, 0.0, 0.0).clamp(0.0, 1.0)
    place = middle.gather(2, low).lerp(middle.gather(2, high), share)
    return (2 * place / count - 1.0).transpose(1, 2)
