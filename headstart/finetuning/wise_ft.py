"""WiSE-FT (Wortsman et al., 2022, equation 1): weights between those of the source and the tuned ones.

    theta(alpha) = (1 - alpha) theta_source + alpha theta_tuned

alpha 0 is the probe on the source's weights, alpha 1 the tuned network; validation chooses. It costs nothing at
prediction, and often keeps what the source knew about inputs unlike the training rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from headstart.checks import at_least
from headstart.finetuning.stage import Moves, Progress, Stage, Start, weights_of
from headstart.finetuning.states import State, between, copied
from headstart.network import Network

__all__ = ["WiSEFT"]


@dataclass(frozen=True, kw_only=True)
class WiSEFT:
    """The probe's head, then all weights, then the best point on the line between.

    decay    how much slower each stage learns than the one above it
    points   how many values of alpha are tried, 0 and 1 among them
    alpha    this one instead, where it is 0 or more
    """

    decay: float = 0.8
    points: int = 11
    alpha: float = -1.0
    start: ClassVar[Start] = "probe"
    scratch: ClassVar[bool] = False
    moves: ClassVar[Moves] = "weights"

    def __post_init__(self) -> None:
        at_least("points", self.points, 2, ", for alpha 0 and 1")
        if not (self.alpha == -1 or 0 <= self.alpha <= 1):
            raise ValueError(f"alpha = {self.alpha}: expected 0 to 1, or -1 for the best by validation")

    def movable(self, network: Network) -> frozenset[str]:
        return weights_of(network, network.stages)

    def __call__(self, network: Network, progress: Progress) -> Iterator[Stage]:
        source = copied(network)
        yield Stage(train=network.stages, decay=self.decay)
        tuned = copied(network)
        alpha, account = self.alpha, {}
        if alpha < 0 and not progress.validates:
            alpha = 0.5
        if alpha < 0:
            alphas = [k / (self.points - 1) for k in range(self.points)]
            path = [(alpha, _loss(network, progress, between(source, tuned, alpha))) for alpha in alphas]
            alpha = min(path, key=lambda point: point[1])[0]
            account = {"path": [list(point) for point in path]}
        progress.settle(replace(self, alpha=alpha), account | {"alpha": alpha})
        network.load_state_dict(between(source, tuned, alpha))


def _loss(network: Network, progress: Progress, state: State) -> float:
    network.load_state_dict(state)
    return progress.validation()
