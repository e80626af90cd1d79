"""Only the head learns, by gradient descent on varied inputs: the textbook's recipe, from zero."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from headstart.finetuning.stage import Moves, Progress, Stage, Start
from headstart.network import HEAD, Network

__all__ = ["HeadOnly"]


@dataclass(frozen=True, kw_only=True)
class HeadOnly:
    """head_lr   how much faster the head learns than a backbone would"""

    head_lr: float = 10.0
    start: ClassVar[Start] = "zero"
    scratch: ClassVar[bool] = False
    moves: ClassVar[Moves] = "nothing"

    def movable(self, network: Network) -> frozenset[str]:
        return frozenset()

    def __call__(self, network: Network, progress: Progress) -> Iterator[Stage]:
        yield Stage(train=(HEAD,), head_lr=self.head_lr)
