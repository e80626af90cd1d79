"""What a teacher makes of the rows of a training, in the order of their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from headstart.tasks.task import Array
from headstart.training.feed import Data
from headstart.training.initial import Scale

__all__ = ["Taught"]


@dataclass(frozen=True, kw_only=True)
class Taught:
    """Of N rows, in V forms each where it was asked of forms, form by form: (V N, ...).

    answers   (N, C) logits, or (N, 1) values; NaN where the teacher says nothing of a row, or does not know a class
    features  (N, D) of its backbone; None where they were not asked for
    maps      by (height, width), (N, height * width): where it looks, see `losses.attention`
    views     V; 0: once, of the plain row
    """

    answers: Array
    features: Array | None = None
    maps: Mapping[tuple[int, int], Array] = field(default_factory=dict)
    views: int = 0

    def take(self, rows: Array) -> Taught:
        """Only these rows, of plain forms."""
        features = None if self.features is None else self.features[rows]
        maps = {size: values[rows] for size, values in self.maps.items()}
        return replace(self, answers=self.answers[rows], features=features, maps=maps)

    def onto(self, codes: Array) -> Taught:
        """The answers in the order of other classes (C,): of each the column that it has here; -1: none, NaN."""
        answers = np.where(codes < 0, np.nan, self.answers[:, codes])
        return replace(self, answers=answers)

    def silent(self, rows: Array) -> Taught:
        """The same without an answer to these rows (N,) bool."""
        answers = self.answers.copy()
        answers[np.tile(rows, max(1, self.views))] = np.nan
        return replace(self, answers=answers)

    def beside(self, data: Data, scale: Scale) -> Data:
        """The data of a training with it; values as the network sees them."""
        return data._replace(
            teacher=_tensor(scale.seen(self.answers, data.kind)),
            teacher_features=None if self.features is None else _tensor(self.features),
            teacher_maps={size: _tensor(values) for size, values in self.maps.items()},
            teacher_views=self.views,
        )

    def content(self) -> list[Array]:
        """Its arrays, which tell one training from another."""
        return [part for part in (self.answers, self.features, *self.maps.values()) if part is not None]


def _tensor(values: Array) -> Tensor:
    return torch.from_numpy(np.array(values, np.float32))
