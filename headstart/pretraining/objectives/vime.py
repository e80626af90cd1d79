"""VIME (Yoon et al., 2020, "VIME: Extending the Success of Self- and Semi-supervised Learning to Tabular Domain").

l = BCE(s_m(f(x')), m) + a mean (s_r(f(x')) - x)^2,   x' = m o x'' + (1 - m) o x

m tells which cells of a row are taken from other rows (x''), each from the same column of a row of its own: these are
to be found, and what stood there is to be told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from torch import Tensor, nn
from torch.nn import functional

from headstart.backbones.backbone import Backbone
from headstart.checks import at_least
from headstart.pretraining.objective import Encoded, Learner, Objective
from headstart.pretraining.views import Views
from headstart.tasks import TABLE, Modality
from headstart.tasks.task import Array

__all__ = ["VIME", "MaskedCells", "vime"]


@dataclass(frozen=True, kw_only=True)
class VIME(Objective):
    """hidden   the probability that a cell is taken from another row
    weight   a above
    """

    hidden: float = 0.3
    weight: float = 2.0
    modality: ClassVar[Modality] = TABLE
    advice: ClassVar[str] = "--method scarf"

    def __post_init__(self) -> None:
        if not 0 < self.hidden < 1:
            raise ValueError(f"hidden = {self.hidden}: expected a share between 0 and 1, such as 0.3")
        at_least("weight", self.weight, 0)

    def views(self, backbone: Backbone, variation: Any) -> Views:
        return MaskedCells(self.hidden)

    def learner(self, encoder: nn.Module, dim: int) -> Learner:
        module: Any = encoder.get_submodule("module")
        return _Cells(dim, int(module.inputs), self.weight)


@dataclass(frozen=True)
class MaskedCells:
    """A row with some cells from other rows; the row as it is; and which these are."""

    hidden: float

    def __call__(
        self, rows: Array, others: Array, owners: Array, draws: Sequence[np.random.Generator]
    ) -> tuple[Array, ...]:
        """(N, 1, D), and (N, D) twice, float32."""
        columns = int(owners[-1]) + 1
        mask = np.stack([(rng.random(columns) < self.hidden)[owners] for rng in draws])
        return np.where(mask, others, rows)[:, None], rows, mask.astype(np.float32)


class _Cells(Learner):
    def __init__(self, dim: int, columns: int, weight: float) -> None:
        super().__init__()
        self.s_m, self.s_r = nn.Linear(dim, columns), nn.Linear(dim, columns)
        self._weight = weight

    def forward(self, rows: Encoded) -> Tensor:
        features = rows.features[:, 0].float()
        return vime(self.s_m(features), self.s_r(features), rows.inputs[1], rows.inputs[2], self._weight)


def vime(m: Tensor, x: Tensor, rows: Tensor, mask: Tensor, weight: float) -> Tensor:
    """l above, of logits m and values x for rows and their mask, (N, D) each."""
    return functional.binary_cross_entropy_with_logits(m, mask) + weight * functional.mse_loss(x, rows)
