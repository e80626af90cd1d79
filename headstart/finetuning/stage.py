"""What a tune is made of: which weights learn now, and how fast; and what it may ask of the training around it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from headstart.checks import positive
from headstart.network import HEAD, Network

__all__ = ["Moves", "Progress", "Stage", "Start", "Tune", "weights_of"]

Moves = Literal["weights", "adapters", "nothing"]
Start = Literal["probe", "zero"]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The stages of a network that learn until validation stops getting better.

    lr      of the backbone's last stage, in units of the run's learning rate
    decay   each stage below learns so much slower than the one above it (Howard and Ruder, 2018, section 3.2)
    head_lr of the head, in the same units
    only    which of the backbone's weights learn, by their names; all where it is None
    """

    train: tuple[str, ...]
    lr: float = 1.0
    decay: float = 1.0
    head_lr: float = 1.0
    only: Callable[[str], bool] | None = None

    def __post_init__(self) -> None:
        for name, value in (("speed", self.lr), ("decay", self.decay), ("head_lr", self.head_lr)):
            positive(name, value)


class Progress(Protocol):
    """The training that a tune is part of."""

    @property
    def validates(self) -> bool:
        """Whether there are rows to choose by."""

    def validation(self) -> float:
        """The loss of the validation rows, with the weights as they are."""

    def settle(self, tune: Tune, account: Mapping[str, Any]) -> None:
        """Tell what was decided: the tune that seeks nothing again, and how it came about, as JSON for the reader."""


class Tune(Protocol):
    """Which weights move, and when. Code after a `yield` runs once that stage is trained, its best weights in place.

    A killed run goes through the tune again from its beginning; stages that were done are not trained but loaded, so
    that code between them finds what it found before. Its random numbers are the same, too.

    start    whether the head begins as the probe's or at zero
    scratch  whether the backbone begins with random weights
    moves    what of the backbone learns: its own weights, adapters beside them, or nothing
    """

    @property
    def start(self) -> Start: ...

    @property
    def scratch(self) -> bool: ...

    @property
    def moves(self) -> Moves: ...

    def movable(self, network: Network) -> frozenset[str]:
        """The weights of the backbone that may be others in the end, by their names in the network; no head's."""

    def __call__(self, network: Network, progress: Progress) -> Iterator[Stage]: ...


def weights_of(network: Network, stages: Iterable[str]) -> frozenset[str]:
    """The names of all weights of these stages of the backbone."""
    return frozenset(name for stage in stages if stage != HEAD for name in network.stage(stage))
