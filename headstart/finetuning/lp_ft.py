"""Linear probe, then fine-tune (Kumar et al., 2022): the head first, so that it does not distort the features.

The probe is the closed-form one on frozen features; then everything learns from there, at one slow rate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from headstart.finetuning.stage import Moves, Progress, Stage, Start, weights_of
from headstart.network import Network

__all__ = ["LPFT"]


@dataclass(frozen=True, kw_only=True)
class LPFT:
    """The probe's head, then all weights.

    decay   how much slower each stage learns than the one above it
    """

    decay: float = 0.8
    start: ClassVar[Start] = "probe"
    scratch: ClassVar[bool] = False
    moves: ClassVar[Moves] = "weights"

    def movable(self, network: Network) -> frozenset[str]:
        return weights_of(network, network.stages)

    def __call__(self, network: Network, progress: Progress) -> Iterator[Stage]:
        yield Stage(train=network.stages, decay=self.decay)
