"""All weights of an encoder learn at once, at one rate: there is no head below which they could be kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from headstart.finetuning.stage import Moves, Progress, Stage, Start, weights_of
from headstart.network import HEAD, Network

__all__ = ["EncoderOnly"]


@dataclass(frozen=True, kw_only=True)
class EncoderOnly:
    """One stage of all weights."""

    start: ClassVar[Start] = "zero"
    scratch: ClassVar[bool] = False
    moves: ClassVar[Moves] = "weights"

    def movable(self, network: Network) -> frozenset[str]:
        """See `Tune`."""
        return weights_of(network, network.stages)

    def __call__(self, network: Network, progress: Progress) -> Iterator[Stage]:
        yield Stage(train=tuple(name for name in network.stages if name != HEAD))
