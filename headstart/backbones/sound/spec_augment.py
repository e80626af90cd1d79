"""SpecAugment (Park et al., 2019): bands of frequency and of time of a spectrogram are put out while it trains.

    bands   each from f_0 to f_0 + f,  f uniform in 0 ... F,  f_0 uniform in 0 ... mels - f
    times   each from t_0 to t_0 + t,  t uniform in 0 ... min(T, p frames)

What is put out gets the mean of the clip. Drawn from torch's own generator, which a training seeds, notes and puts
back, so that a run that was killed draws the same again. Time warping, which they found to help least, is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["SpecAugment"]


@dataclass(frozen=True, kw_only=True)
class SpecAugment:
    """bands, band    how many bands, and the widest, F
    times, time    how many stretches, and the longest in frames, T
    share          p, the largest share of a clip's frames in one stretch
    """

    bands: int = 2
    band: int = 27
    times: int = 2
    time: int = 100
    share: float = 0.2

    def __call__(self, levels: Tensor, real: Tensor) -> Tensor:
        """(N, frames, mels), and (N, frames) which frames are real -> the same shape."""
        count = real.sum(1)
        silenced = torch.zeros_like(levels, dtype=torch.bool)
        mels = torch.full_like(count, levels.shape[2])
        for _ in range(self.bands):
            silenced |= _stretch(mels, mels.clamp(max=self.band), levels.shape[2])[:, None, :]
        longest = (self.share * count).long().clamp(max=self.time)
        for _ in range(self.times):
            silenced |= _stretch(count, longest, levels.shape[1])[:, :, None]
        within = real[:, :, None]
        mean = (levels * within).sum((1, 2)) / (count.clamp(min=1) * levels.shape[2])
        return torch.where(silenced & within, mean[:, None, None], levels)


def _stretch(places: Tensor, longest: Tensor, size: int) -> Tensor:
    """(N, size): a stretch within the first `places` of each row, of 0 to `longest` places."""
    drawn = torch.rand(2, len(places), device=places.device)
    length = (drawn[0] * (longest + 1)).long()
    start = (drawn[1] * (places - length + 1)).long()[:, None]
    at = torch.arange(size, device=places.device)
    return (at >= start) & (at < start + length[:, None])
