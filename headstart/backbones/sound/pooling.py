"""Places along time become one row a clip, of which only the clip's own count."""

from __future__ import annotations

from torch import Tensor

from headstart.backbones.encoders import masked_mean
from headstart.backbones.sound.front_end import prefix_mask

__all__ = ["mean_over_time"]


def mean_over_time(states: Tensor, counts: Tensor | None) -> Tensor:
    """(N, L, D), of each row the first `counts` (N,) places, all of them where it is None -> (N, D)."""
    return states.mean(1) if counts is None else masked_mean(states, prefix_mask(counts, states.shape[1]))
