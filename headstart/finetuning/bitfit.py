"""BitFit (Ben Zaken, Goldberg and Ravfogel, 2022): only the biases learn, and the head.

In networks of pictures the shifts of the norms are such biases. A thousandth of the weights moves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from headstart.finetuning.stage import Moves, Progress, Stage, Start, weights_of
from headstart.network import Network

__all__ = ["BitFit"]


@dataclass(frozen=True, kw_only=True)
class BitFit:
    """speed   how much faster biases learn than whole matrices would"""

    speed: float = 10.0
    start: ClassVar[Start] = "probe"
    scratch: ClassVar[bool] = False
    moves: ClassVar[Moves] = "weights"

    def movable(self, network: Network) -> frozenset[str]:
        return frozenset(filter(_is_bias, weights_of(network, network.stages)))

    def __call__(self, network: Network, progress: Progress) -> Iterator[Stage]:
        yield Stage(train=network.stages, lr=self.speed, only=_is_bias)


def _is_bias(name: str) -> bool:
    return name.endswith("bias")
