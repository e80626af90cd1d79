"""Full fine-tuning with discriminative learning rates (Howard and Ruder, 2018): lr of stage l = lr * decay^(L - l).

Use it with some hundred rows or more; with fewer, `lp-ft` distorts the features less.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from headstart.finetuning.stage import Moves, Progress, Stage, Start, weights_of
from headstart.network import Network

__all__ = ["Full"]


@dataclass(frozen=True, kw_only=True)
class Full:
    """All weights learn at once.

    decay    how much slower each stage learns than the one above it
    head_lr  how much faster the head learns than the backbone
    """

    decay: float = 0.8
    head_lr: float = 10.0
    start: ClassVar[Start] = "zero"
    scratch: bool = False
    moves: ClassVar[Moves] = "weights"

    def movable(self, network: Network) -> frozenset[str]:
        return weights_of(network, network.stages)

    def __call__(self, network: Network, progress: Progress) -> Iterator[Stage]:
        yield Stage(train=network.stages, decay=self.decay, head_lr=self.head_lr)
