"""The last stages and the head learn, the general ones below stay (Yosinski et al., 2014).

Activations at the cut never change, so they are computed once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from headstart.finetuning.stage import Moves, Progress, Stage, Start, weights_of
from headstart.network import Network

__all__ = ["Top"]


@dataclass(frozen=True, kw_only=True)
class Top:
    """The last `stages` of the backbone, and the head, which begins as the probe's."""

    stages: int = 1
    decay: float = 0.8
    start: ClassVar[Start] = "probe"
    scratch: ClassVar[bool] = False
    moves: ClassVar[Moves] = "weights"

    def movable(self, network: Network) -> frozenset[str]:
        return weights_of(network, network.top(self.stages))

    def __call__(self, network: Network, progress: Progress) -> Iterator[Stage]:
        yield Stage(train=network.top(self.stages), decay=self.decay)
