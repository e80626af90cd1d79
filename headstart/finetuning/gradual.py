"""Gradual unfreezing (Howard and Ruder, 2018, section 3.3): one stage more at a time, from the top.

The stages below the cut are those that forget most easily; they learn last and slowest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from headstart.checks import at_least
from headstart.finetuning.stage import Moves, Progress, Stage, Start, weights_of
from headstart.network import Network

__all__ = ["Gradual"]


@dataclass(frozen=True, kw_only=True)
class Gradual:
    """The head alone, then one stage more in each step.

    stages   how many stages of the backbone are opened in the end; those beyond the backbone's own do not count
    decay    how much slower each stage learns than the one above it
    """

    stages: int = 4
    decay: float = 0.6
    start: ClassVar[Start] = "probe"
    scratch: ClassVar[bool] = False
    moves: ClassVar[Moves] = "weights"

    def __post_init__(self) -> None:
        at_least("stages", self.stages, 1, "; method 'head' opens none")

    def movable(self, network: Network) -> frozenset[str]:
        return weights_of(network, network.top(min(self.stages, len(network.stages) - 1)))

    def __call__(self, network: Network, progress: Progress) -> Iterator[Stage]:
        for opened in range(1, min(self.stages, len(network.stages) - 1) + 1):
            yield Stage(train=network.top(opened), decay=self.decay)
