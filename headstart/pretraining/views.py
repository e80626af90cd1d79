"""Views: the forms of a row that an objective sees in a step, drawn from the seed, the epoch and the row alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from headstart.preprocessing.preprocess import Preprocess
from headstart.tasks.task import Array
from headstart.training.augmentation import Anew, Draw
from headstart.training.batches import InputBatches, ItemBatches, Part, PictureBatches, TableBatches, moved

__all__ = ["ItemViewBatches", "ItemViews", "PictureViewBatches", "PictureViews", "Views", "batches_of_views"]

_PLAIN = Anew(0, 0, 0)
Plain = TypeVar("Plain", bound=InputBatches)


class PictureViews(Protocol):
    """From a picture, uint8 (3, H, W), to its views, uint8 (V, 3, h, w), and numbers (K,) that go with them."""

    def __call__(self, picture: Tensor, rng: np.random.Generator) -> tuple[Tensor, Array | None]: ...


class ItemViews(Protocol):
    """From a padded batch of prepared inputs and the length of each to what the encoder takes, (N, ...) arrays, each
    row by random numbers of its own."""

    def __call__(
        self, batch: tuple[Array, ...], lengths: Sequence[int], draws: Sequence[np.random.Generator]
    ) -> tuple[Array, ...]: ...


class TableViews(Protocol):
    """From encoded rows (N, D), as many values that others have in these columns, which column of the table each came
    from (D,), and the draws, to what the encoder takes, (N, ...) arrays."""

    def __call__(
        self, rows: Array, others: Array, owners: Array, draws: Sequence[np.random.Generator]
    ) -> tuple[Array, ...]: ...


Views = PictureViews | ItemViews | TableViews


class ViewBatches(ABC, Generic[Plain]):
    """Views of the inputs that `plain` holds: nothing below is computed once, since every view is drawn anew."""

    def __init__(self, plain: Plain, device: torch.device) -> None:
        self.plain, self._device = plain, device

    def __len__(self) -> int:
        return len(self.plain)

    @property
    def preprocess(self) -> Preprocess:
        """See `InputBatches`, as all that follows."""
        return self.plain.preprocess

    @abstractmethod
    def batch(self, rows: Array, draw: Draw | None) -> tuple[Tensor, ...]:
        """Where nothing is drawn, as in the first epoch of seed 0."""

    def above(self, rows: Array, draw: Draw | None) -> tuple[Tensor, ...]:
        return self.batch(rows, draw)

    def length(self, row: int) -> int:
        return 0

    def part(self, module: nn.Module, width: int, place: str) -> Part | None:
        return None


class PictureViewBatches(ViewBatches[PictureBatches]):
    """Of pictures: (N, V, 3, h, w) as the backbone takes them, and the numbers that go with them, (N, K)."""

    def __init__(self, plain: PictureBatches, views: PictureViews, device: torch.device) -> None:
        super().__init__(plain, device)
        self._views = views

    def batch(self, rows: Array, draw: Draw | None) -> tuple[Tensor, ...]:
        draw = draw or _PLAIN
        pictures = self.plain.pixels(rows).permute(0, 3, 1, 2)
        made = [self._views(picture, draw.generator(row)) for picture, row in zip(pictures, rows, strict=True)]
        views = torch.stack([view for view, _ in made])
        flat = views.flatten(0, 1).permute(0, 2, 3, 1).contiguous()
        (pixels,) = self.preprocess.tensors(moved(flat, self._device))
        inputs = pixels.view(*views.shape[:2], *pixels.shape[1:])
        numbers = [number for _, number in made if number is not None]
        if not numbers:
            return (inputs,)
        return inputs, moved(torch.from_numpy(np.stack(numbers)), self._device)


class ItemViewBatches(ViewBatches[ItemBatches]):
    """Of inputs that differ in length, such as texts."""

    def __init__(self, plain: ItemBatches, views: ItemViews, device: torch.device) -> None:
        super().__init__(plain, device)
        self._views = views

    def batch(self, rows: Array, draw: Draw | None) -> tuple[Tensor, ...]:
        draws = [(draw or _PLAIN).generator(int(row)) for row in rows]
        lengths = [self.length(int(row)) for row in rows]
        made = self._views(self.plain.arrays(rows, draws), lengths, draws)
        return tuple(moved(torch.from_numpy(array), self._device) for array in made)

    def length(self, row: int) -> int:
        return self.plain.length(row)


class TableViewBatches(ViewBatches[TableBatches]):
    """Of the rows of a table: (N, V, D) as the backbone takes them."""

    def __init__(self, plain: TableBatches, views: TableViews, device: torch.device) -> None:
        super().__init__(plain, device)
        self._views = views
        self._owners = plain.preprocess.owners

    def batch(self, rows: Array, draw: Draw | None) -> tuple[Tensor, ...]:
        """The cells of other rows are drawn column by column, those that one column became together."""
        draws = [(draw or _PLAIN).generator(int(row)) for row in rows]
        values = self.plain.values.numpy()
        columns = np.arange(values.shape[1])
        owners = int(self._owners[-1]) + 1
        others = np.stack([values[rng.integers(0, len(values), owners)[self._owners], columns] for rng in draws])
        made = self._views(values[rows], others, self._owners, draws)
        return tuple(moved(torch.from_numpy(array), self._device) for array in made)


def batches_of_views(plain: InputBatches, views: Views, device: torch.device) -> InputBatches:
    """Of the inputs that `plain` holds."""
    if isinstance(plain, PictureBatches):
        return PictureViewBatches(plain, views, device)  # type: ignore[arg-type]
    if isinstance(plain, TableBatches):
        return TableViewBatches(plain, views, device)  # type: ignore[arg-type]
    if not isinstance(plain, ItemBatches):
        raise ValueError(f"{type(plain).__name__} holds no inputs that can be seen in several views")
    return ItemViewBatches(plain, views, device)  # type: ignore[arg-type]
