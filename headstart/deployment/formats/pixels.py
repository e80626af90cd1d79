"""Resizing, cropping and scaling of pictures as matrix products: what `preprocessing.prepare` does, to the last bit.

    x' = clip(floor((W x + 2^(p-1)) / 2^p), 0, 255)        along rows of pixels, then along columns

W (crop, length) are the weights of torch's antialiased resize of whole numbers, whole numbers too: round(2^p w), with
the largest p for which the largest of them fits into 16 bits (the fixed-point scheme of Pillow). All sums are below
2^53, so that double precision holds them exactly. Of W only the rows that the crop keeps are multiplied, and all are
looked at for the largest.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from headstart.preprocessing.prepare import LONG
from headstart.preprocessing.spec import PicturePreprocess

__all__ = ["PixelsToInput"]

_BITS, _MOST = 15, 22


class PixelsToInput(nn.Module):
    """uint8 (N, H, W, 3), of any height and width -> float32 (N, 3, size[0], size[1]) as the network takes it."""

    scale: Tensor
    shift: Tensor
    powers: Tensor

    def __init__(self, preprocess: PicturePreprocess) -> None:
        super().__init__()
        self.form = preprocess
        mean = torch.tensor(preprocess.mean, dtype=torch.float64)
        std = torch.tensor(preprocess.std, dtype=torch.float64)
        self.register_buffer("scale", (1 / (255 * std)).float()[:, None, None])
        self.register_buffer("shift", (-mean / std).float()[:, None, None])
        self.register_buffer("powers", 2.0 ** torch.arange(_MOST + 2, dtype=torch.float64))

    def forward(self, pixels: Tensor) -> Tensor:
        prepared = self.prepared(pixels.permute(0, 3, 1, 2))
        return prepared.float() * self.scale + self.shift

    def prepared(self, pictures: Tensor) -> Tensor:
        """uint8 (N, 3, H, W) -> whole numbers (N, 3, size[0], size[1]) in float64."""
        size = self.form.size
        height, width = (torch.arange(pictures.shape[axis]).double() for axis in (2, 3))
        sides = self._sides(height[-1] + 1, width[-1] + 1)
        (down, down_by), (across, across_by) = (
            self._weights(at, kept, first, new, count)
            for at, (kept, first, new), count in zip((height, width), sides, size, strict=True)
        )
        x = _rounded(pictures.double() @ across.T, across_by)
        return _rounded(down @ x, down_by)

    def _sides(self, height: Tensor, width: Tensor) -> tuple[tuple[Tensor, Tensor, Tensor], ...]:
        """Of height and of width: what is kept of it before resizing, from where, and the length it is resized to."""
        zero, form = torch.zeros_like(height), self.form
        if form.squash:
            sizes = (torch.full_like(height, float(side)) for side in form.size)
            return tuple((side, zero, new) for side, new in zip((height, width), sizes, strict=True))
        kept_height, kept_width = self._kept(height, width), self._kept(width, height)
        firsts = ((side - kept) / 2 for side, kept in ((height, kept_height), (width, kept_width)))
        shorter = torch.minimum(kept_height, kept_width)
        news = (torch.floor(form.resize * kept / shorter) for kept in (kept_height, kept_width))
        return tuple(zip((kept_height, kept_width), firsts, news, strict=True))

    def _kept(self, side: Tensor, other: Tensor) -> Tensor:
        """As `preprocessing.prepare` cuts a strip that is much longer than wide."""
        reduction = other / self.form.resize
        reach = torch.ceil(2 * reduction.clamp(min=1.0)) + 2
        need = torch.ceil(max(self.form.size) * reduction) + 2 * reach
        need = need + (side - need) - 2 * torch.floor((side - need) / 2)
        return torch.where((side > LONG * other) & (need < side), need, side)

    def _weights(self, at: Tensor, old: Tensor, first: Tensor, new: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """(count, L) whole numbers, and what the sums are divided by; `at` (L,) are the places 0, 1, ... of a side."""
        scale, cubic = old / new, self.form.interpolation == "bicubic"
        largest = _largest(_places(new)[:, None], scale, old, cubic=cubic)
        by = self.powers[(torch.floor(largest * self.powers[1 : _MOST + 1] + 0.5) < 2**_BITS).sum()]
        crop = torch.where(new >= count, torch.round((new - count) / 2), -torch.floor((count - new) / 2))
        rows = (torch.arange(count).double() + crop)[:, None]
        weights = _resampled(torch.minimum(rows.clamp(min=0.0), new - 1), at - first, scale, old, cubic=cubic)
        whole = torch.sign(weights) * torch.floor(weights.abs() * by + 0.5)
        return torch.where((rows >= 0) & (rows < new), whole, 0.0), by


def _places(length: Tensor) -> Tensor:
    """(L,) 0, 1, ... up to a length that is known when the graph is run."""
    count = length.long().item()  # a symbol where a graph is made, which int() would not let be
    torch._check(count >= 1)
    return torch.arange(count).double()


def _largest(rows: Tensor, scale: Tensor, old: Tensor, *, cubic: bool) -> Tensor:
    """The largest weight of any row (R, 1), from those places alone that a row looks at."""
    low, _, reach = _window(rows, scale, old, cubic=cubic)
    near = low + _places(2 * torch.ceil(reach) + 2)
    return _resampled(rows, near, scale, old, cubic=cubic).max()


def _window(rows: Tensor, scale: Tensor, old: Tensor, *, cubic: bool) -> tuple[Tensor, Tensor, Tensor]:
    """The first place that a row looks at and the one behind the last, (R, 1) each, and how far it looks."""
    reach = (2.0 if cubic else 1.0) * scale.clamp(min=1.0)
    centre = scale * (rows + 0.5)
    low = torch.trunc(centre - reach + 0.5).clamp(min=0.0)
    return low, torch.minimum(torch.trunc(centre + reach + 0.5), old), reach


def _resampled(rows: Tensor, at: Tensor, scale: Tensor, old: Tensor, *, cubic: bool) -> Tensor:
    """(R, L) the weights of places `at`, (L,) or (R, L), of a side in rows (R, 1) of the resized side, whose sum is 1
    in each row."""
    low, high, _ = _window(rows, scale, old, cubic=cubic)
    x = ((at - low) + (low - scale * (rows + 0.5)) + 0.5).abs() * (1 / scale.clamp(min=1.0))
    values = _cubic(x) if cubic else (1 - x).clamp(min=0.0)
    values = torch.where((at >= low) & (at < high), values, 0.0)
    return values / values.cumsum(1)[:, -1:]  # one by one, as torch adds them


def _cubic(x: Tensor) -> Tensor:
    """Keys' cubic (1981) with a = -1/2, of |x|."""
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return torch.where(x < 1, near, torch.where(x < 2, far, 0.0))


def _rounded(sums: Tensor, by: Tensor) -> Tensor:
    return torch.floor((sums + by / 2) / by).clamp(0.0, 255.0)
