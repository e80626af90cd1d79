"""The greedy soup (Wortsman et al., 2022, "Model soups", algorithm 1): the average of those runs that help each other.

Runs from the same beginning with other learning rates end in one basin; a run is taken into the average, the best
first, if validation does not get worse by it. It predicts at the cost of one network.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from headstart.checks import at_least
from headstart.finetuning.stage import Moves, Progress, Stage, Start, weights_of
from headstart.finetuning.states import State, average, copied
from headstart.network import Network

__all__ = ["Soup"]


@dataclass(frozen=True, kw_only=True)
class Soup:
    """The probe's head, then all weights, several times over.

    runs     how many
    spread   the first run learns so much faster than the run's learning rate, the last so much slower
    decay    how much slower each stage learns than the one above it
    soup     these runs, by number, instead of those that validation takes; without validation all of them
    """

    runs: int = 3
    spread: float = 3.0
    decay: float = 0.8
    soup: tuple[int, ...] = ()
    start: ClassVar[Start] = "probe"
    scratch: ClassVar[bool] = False
    moves: ClassVar[Moves] = "weights"

    def __post_init__(self) -> None:
        at_least("runs", self.runs, 2, "; method 'lp-ft' is a single one")
        at_least("spread", self.spread, 1)

    def movable(self, network: Network) -> frozenset[str]:
        return weights_of(network, network.stages)

    def __call__(self, network: Network, progress: Progress) -> Iterator[Stage]:
        source, runs = copied(network), []
        chosen = self.soup or (() if progress.validates else tuple(range(self.runs)))
        for number in range(self.runs):
            network.load_state_dict(source)
            lr = self.spread ** (1 - 2 * number / (self.runs - 1))
            yield Stage(train=network.stages, lr=lr, head_lr=lr, decay=self.decay)
            runs.append((0.0 if chosen else progress.validation(), number, copied(network)))
        if chosen:
            network.load_state_dict(average([runs[number][2] for number in chosen]))
            progress.settle(replace(self, soup=chosen), {"soup": list(chosen)})
            return
        runs.sort(key=lambda run: run[:2])
        lowest, first, state = runs[0]
        taken, helped = [state], [first]
        for _, number, state in runs[1:]:
            average_loss = self._tasted(network, progress, [*taken, state])
            if average_loss <= lowest:
                lowest, taken, helped = average_loss, [*taken, state], [*helped, number]
        network.load_state_dict(average(taken))
        tried = [[number, loss] for loss, number, _ in runs]
        progress.settle(replace(self, soup=tuple(helped)), {"tried": tried, "soup": helped, "soup_loss": lowest})

    def _tasted(self, network: Network, progress: Progress, states: list[State]) -> float:
        network.load_state_dict(average(states))
        return progress.validation()
