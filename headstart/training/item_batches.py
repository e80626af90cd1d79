"""Inputs that differ in length, as a network is trained on them: one batch at a time, plain or varied."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from headstart.preprocessing.preprocess import Preprocess
from headstart.tasks.task import Array
from headstart.training.augmentation import Draw

__all__ = ["CPU", "ItemBatches", "Part", "moved"]

CPU = torch.device("cpu")

Part = Callable[[Array, Draw | None], Array]


class ItemBatches:
    """Inputs that differ in length, such as texts: prepared once, varied as their preprocessing says."""

    def __init__(
        self, inputs: Sequence[Any], preprocess: Preprocess, device: torch.device = CPU, *, prepared: bool = False
    ) -> None:
        self.preprocess, self._device = preprocess, device
        self._items: list[Array] = [item if prepared else preprocess.prepare(item)[0] for item in inputs]

    def __len__(self) -> int:
        return len(self._items)

    def batch(self, rows: Array, draw: Draw | None) -> tuple[Tensor, ...]:
        """As the preprocessing puts them together; of texts ids and mask, int64 (N, L) each."""
        draws = None if draw is None else [draw.generator(row) for row in rows]
        arrays = self.arrays(rows, draws)
        for place, rng in enumerate(draws or ()):
            self.preprocess.vary(arrays, place, self.length(rows[place]), rng)
        return self.preprocess.tensors(*(moved(torch.from_numpy(array), self._device) for array in arrays))

    def arrays(self, rows: Array, draws: Sequence[np.random.Generator] | None) -> tuple[Array, ...]:
        """The same before anything is varied."""
        each: Sequence[np.random.Generator | None] = draws or [None] * len(rows)
        return self.preprocess.collate([self.item(int(row), rng) for row, rng in zip(rows, each, strict=True)])

    def item(self, row: int, rng: np.random.Generator | None) -> Array:
        """What is held of a row, or drawn of it."""
        return self._items[row]

    def above(self, rows: Array, draw: Draw | None) -> tuple[Tensor, ...]:
        """The whole batch: lengths and masks matter above a cut."""
        return self.batch(rows, draw)

    def length(self, row: int) -> int:
        """How many tokens it has, or what else its preprocessing counts."""
        return self.preprocess.length(self._items[row])

    def part(self, module: nn.Module, width: int, place: str) -> Part | None:
        """None: what comes out of a part has the length of its input."""
        return None


def moved(tensor: Tensor, device: torch.device) -> Tensor:
    """On the device; to a GPU from pinned memory, while it calculates."""
    return tensor if device.type == "cpu" else tensor.pin_memory().to(device, non_blocking=True)
