"""LoRA (Hu et al., 2021, equation 3): to each matrix a product of two thin ones is added, and only these learn.

    W x  ->  W x + (alpha / r) B A x,    B = 0 at the beginning

A hundredth of the weights learns, and what is kept is a plain network: the product is merged into W at the end.
On a CPU it saves little time. The thin matrices are put beside all layers (Dettmers et al., 2023, section 4).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from headstart.checks import at_least
from headstart.finetuning.adapters import adapted, places
from headstart.finetuning.stage import Moves, Progress, Stage, Start
from headstart.network import Network

__all__ = ["LoRA"]


@dataclass(frozen=True, kw_only=True)
class LoRA:
    """rank     r
    alpha    how strongly the product counts
    stages   how many stages, from the top, have it; 0: all
    speed    how much faster the thin matrices learn than whole ones would
    """

    rank: int = 8
    alpha: float = 16.0
    stages: int = 0
    speed: float = 10.0
    start: ClassVar[Start] = "probe"
    scratch: ClassVar[bool] = False
    moves: ClassVar[Moves] = "adapters"

    def __post_init__(self) -> None:
        at_least("rank", self.rank, 1)

    def movable(self, network: Network) -> frozenset[str]:
        stages = network.top(self.stages or len(network.stages) - 1)
        return frozenset(f"backbone.{place}.weight" for place in places(network, stages))

    def __call__(self, network: Network, progress: Progress) -> Iterator[Stage]:
        stages = network.top(self.stages or len(network.stages) - 1)
        with adapted(network, "Lora", places(network, stages), r=self.rank, lora_alpha=self.alpha):
            yield Stage(train=stages, lr=self.speed, only=_is_thin)


def _is_thin(name: str) -> bool:
    return ".lora_" in name
