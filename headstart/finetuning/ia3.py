"""(IA)^3 (Liu et al., 2022, section 3.3): each layer's outputs are stretched by a vector that learns, 1 at first.

    W x  ->  l * (W x)

A thousandth of the weights learns. In attention the paper stretches keys and values, and in the feed-forward part its
inner activations; here every matrix of the stages is stretched, which holds these and needs no names of layers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from headstart.finetuning.adapters import adapted, places
from headstart.finetuning.stage import Moves, Progress, Stage, Start
from headstart.network import Network

__all__ = ["IA3"]


@dataclass(frozen=True, kw_only=True)
class IA3:
    """stages   how many stages, from the top, are stretched; 0: all
    speed    how much faster the vectors learn than whole matrices would
    """

    stages: int = 0
    speed: float = 30.0
    start: ClassVar[Start] = "probe"
    scratch: ClassVar[bool] = False
    moves: ClassVar[Moves] = "adapters"

    def movable(self, network: Network) -> frozenset[str]:
        stages = network.top(self.stages or len(network.stages) - 1)
        return frozenset(f"backbone.{place}.{part}" for place in places(network, stages) for part in ("weight", "bias"))

    def __call__(self, network: Network, progress: Progress) -> Iterator[Stage]:
        stages = network.top(self.stages or len(network.stages) - 1)
        with adapted(network, "IA3", places(network, stages), feedforward_modules=[]):
            yield Stage(train=stages, lr=self.speed, only=_is_stretch)


def _is_stretch(name: str) -> bool:
    return ".ia3_" in name
