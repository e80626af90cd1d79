"""What a tune is made of: which stages learn now, and how fast."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from headstart.network import Network

__all__ = ["Stage", "Start", "Tune"]

Start = Literal["probe", "zero"]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The stages of a network that learn until validation stops getting better.

    lr      of the backbone's last stage, in units of the run's learning rate
    decay   each stage below learns so much slower than the one above it (Howard and Ruder, 2018, section 3.2)
    head_lr of the head, in the same units
    """

    train: tuple[str, ...]
    lr: float = 1.0
    decay: float = 1.0
    head_lr: float = 1.0


class Tune(Protocol):
    """Which weights move, and when. Code after a `yield` runs once that stage is trained.

    start    whether the head begins as the probe's or at zero
    scratch  whether the backbone begins with random weights
    """

    @property
    def start(self) -> Start: ...

    @property
    def scratch(self) -> bool: ...

    def __call__(self, network: Network) -> Iterator[Stage]: ...
