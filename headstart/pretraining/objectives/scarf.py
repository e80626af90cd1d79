"""SCARF (Bahri et al., 2022, "SCARF: Self-Supervised Contrastive Learning using Random Feature Corruption").

l = -log exp(cos(z, z') / t) / (1/N sum_j exp(cos(z, z'_j) / t)),   z = g(f(x)),   z' = g(f(x'))

x' is x with a share of its cells taken from other rows, each from the same column of a row of its own. log N is left
out here, which moves no weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
from torch import nn

from headstart.backbones.backbone import Backbone
from headstart.checks import at_least, positive
from headstart.pretraining.objective import Learner, Objective
from headstart.pretraining.objectives.simcse import simcse
from headstart.pretraining.projector import Projected
from headstart.pretraining.views import Views
from headstart.tasks import TABLE, Modality
from headstart.tasks.task import Array

__all__ = ["SCARF", "Corrupted"]


@dataclass(frozen=True, kw_only=True)
class SCARF(Objective):
    """corrupted     the share of cells that are taken from other rows
    temperature   t above
    width         of the projector g, its layer and its output
    """

    corrupted: float = 0.6
    temperature: float = 1.0
    width: int = 256
    modality: ClassVar[Modality] = TABLE
    advice: ClassVar[str] = "fewer cells of other rows (--option corrupted=0.3)"

    def __post_init__(self) -> None:
        if not 0 < self.corrupted < 1:
            raise ValueError(f"corrupted = {self.corrupted}: expected a share between 0 and 1, such as 0.6")
        positive("temperature", self.temperature)
        at_least("width", self.width, 1)

    def views(self, backbone: Backbone, variation: Any) -> Views:
        return Corrupted(self.corrupted)

    def learner(self, encoder: nn.Module, dim: int) -> Learner:
        g = nn.Sequential(nn.Linear(dim, self.width), nn.ReLU(), nn.Linear(self.width, self.width))
        return Projected(g, partial(simcse, temperature=self.temperature))


@dataclass(frozen=True)
class Corrupted:
    """A row as it is, and with a share of its cells from other rows: as many in every row, at least one."""

    share: float

    def __call__(
        self, rows: Array, others: Array, owners: Array, draws: Sequence[np.random.Generator]
    ) -> tuple[Array, ...]:
        """(N, 2, D)."""
        columns = int(owners[-1]) + 1
        count = min(columns, max(1, round(self.share * columns)))
        foreign = np.stack([np.isin(owners, rng.choice(columns, count, replace=False)) for rng in draws])
        return (np.stack([rows, np.where(foreign, others, rows)], 1),)
