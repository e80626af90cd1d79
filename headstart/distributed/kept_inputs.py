"""Inputs of many trainings of one backbone, whose frozen part computes each row once.

In every round a client trains anew from the same frozen part (with `train = "top"`, all that is below the last stages).
What the engine of frozen passes makes of a row is kept in memory, up to `MOST` bytes, as long as the process lasts.
"""

from __future__ import annotations

import numpy as np
from torch import Tensor, nn

from headstart.preprocessing.spec import Preprocess
from headstart.tasks.task import Array
from headstart.training.augmentation import Draw
from headstart.training.batches import InputBatches, Part

__all__ = ["MOST", "KeptInputs"]

MOST = 1 << 30


class KeptInputs:
    """As the inputs that it stands before, see `InputBatches`; computed counts rows that went through a frozen part."""

    def __init__(self, inputs: InputBatches) -> None:
        self._inputs = inputs
        self._kept: dict[str, dict[int, Array]] = {}
        self.computed = 0

    @property
    def preprocess(self) -> Preprocess:
        return self._inputs.preprocess

    def __len__(self) -> int:
        return len(self._inputs)

    def batch(self, rows: Array, draw: Draw | None) -> tuple[Tensor, ...]:
        return self._inputs.batch(rows, draw)

    def above(self, rows: Array, draw: Draw | None) -> tuple[Tensor, ...]:
        return self._inputs.above(rows, draw)

    def length(self, row: int) -> int:
        return self._inputs.length(row)

    def part(self, module: nn.Module, width: int, place: str) -> Part | None:
        """See the module. A place names one frozen part, since the weights up to it are those of the backbone."""
        compute = self._inputs.part(module, width, place)
        if compute is None or 4 * width * len(self) > MOST:
            return compute

        def kept(rows: Array, draw: Draw | None) -> Array:
            if draw is not None:
                return compute(rows, draw)
            before = self._kept.setdefault(place, {})
            new = np.array([row for row in rows.tolist() if row not in before], dtype=np.int64)
            if len(new):
                self.computed += len(new)
                before |= dict(zip(new.tolist(), compute(new, None), strict=True))
            return np.stack([before[row] for row in rows.tolist()])

        return kept
