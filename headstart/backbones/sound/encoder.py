"""What all backbones of sounds have in common: waves and lengths in, and how many places of a layer are of a clip."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["SoundEncoder", "at_least"]


class SoundEncoder(nn.Module, ABC):
    """(waves (N, T) float32, zero behind each clip's end, samples (N,) int64) -> (N, D).

    The features of a clip are the same in every batch that it is put into. Waves are float32 in whatever type the
    network calculates.

    torch_only    why no other engine can run it; "" where others can
    of_pictures   whether it makes pictures of one size of them: all places of a layer are of the clip
    """

    torch_only: ClassVar[str] = "it reads waves of any length, which only torch transforms to spectrograms"

    of_pictures: ClassVar[bool] = False

    @abstractmethod
    def counts(self, after: str, samples: Tensor) -> Tensor | None:
        """(N,) int64: of what the module of this name puts out, (N, L, D) or (N, D, L, bands), how many places of L are
        of each clip; None where all are."""

    @property
    def dtype(self) -> torch.dtype:
        """In which the network calculates."""
        return next(weights.dtype for weights in self.parameters())


def at_least(waves: Tensor, samples: int) -> Tensor:
    """The waves with zeros behind them, so that they have at least so many samples."""
    return functional.pad(waves, (0, max(0, samples - waves.shape[1])))
