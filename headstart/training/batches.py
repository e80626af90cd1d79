"""What a network is trained on: the rows of a task as tensors, plain or augmented, one batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol, cast

import numpy as np
import torch
from torch import Tensor, nn

from headstart.backbones.backbone import Backbone
from headstart.features.extract import Extraction, extract
from headstart.features.picture_input import Source
from headstart.preprocessing.prepare import Pixels
from headstart.preprocessing.resize import resize
from headstart.preprocessing.spec import PicturePreprocess, Preprocess
from headstart.preprocessing.table_preprocess import TablePreprocess
from headstart.tasks import AUDIO, IMAGE, TABLE
from headstart.tasks.task import Array
from headstart.training.augmentation import Draw
from headstart.training.item_batches import CPU, ItemBatches, Part, moved
from headstart.training.sound_batches import SoundBatches

__all__ = [
    "BATCHES",
    "CPU",
    "PLAIN",
    "Batches",
    "InputBatches",
    "ItemBatches",
    "Part",
    "PictureBatches",
    "TableBatches",
    "batches",
    "moved",
]

PLAIN = Extraction(engine="torch", precision="float32", thumbs=False)
_SMALLEST = 0.6
_ASPECT = (3 / 4, 4 / 3)


class Batches(Protocol):
    """batch   the inputs of some rows, as a function takes them. draw None: plain, as in prediction"""

    def __len__(self) -> int: ...

    def batch(self, rows: Array, draw: Draw | None) -> tuple[Tensor, ...]: ...


class InputBatches(Batches, Protocol):
    """Of the inputs of a backbone.

    preprocess   how they are made
    above        the same for what is above a cut
    length       how long a row is; 0 where all have one size
    part         what a part of the backbone, from its inputs to the `width` figures of a place, makes of some rows,
                 float32 (N, width), by the engine of frozen passes; None where it can only be asked by batches
    """

    @property
    def preprocess(self) -> Preprocess: ...

    def above(self, rows: Array, draw: Draw | None) -> tuple[Tensor, ...]: ...

    def length(self, row: int) -> int: ...

    def part(self, module: nn.Module, width: int, place: str) -> Part | None: ...


def batches(
    inputs: Sequence[Any], backbone: Backbone, device: torch.device = CPU, extraction: Extraction = PLAIN
) -> InputBatches:
    """Those of pictures or texts, as the backbone takes them, on the device where it calculates.

    extraction   how a frozen part of the backbone is run
    """
    if backbone.preprocess is None:
        raise ValueError(f"{backbone.name} has no network to train: its features are the columns themselves")
    if backbone.modality in BATCHES:
        return BATCHES[backbone.modality](inputs, backbone, device, extraction)
    return ItemBatches(inputs, backbone.preprocess, device)


class PictureBatches:
    """Pictures, decoded once and held as the backbone sees them, uint8 (N, H, W, 3).

    Augmented: a random part of at least `_SMALLEST` of the area, resized to the whole (Szegedy et al., 2015, section
    6). No picture is mirrored: whether that keeps its class, the data does not say.
    """

    def __init__(
        self, inputs: Sequence[Any], backbone: Backbone, device: torch.device = CPU, extraction: Extraction = PLAIN
    ) -> None:
        preprocess = cast(PicturePreprocess, backbone.preprocess)
        self.preprocess, self._device, self._extraction = preprocess, device, extraction
        # Pixels are prepared already: squashed to the size that they have, they stay as they are.
        self._backbone = replace(backbone, preprocess=replace(preprocess, squash=True))
        self._pixels: Pixels = np.empty((len(inputs), *preprocess.size, 3), np.uint8)
        for row, item in enumerate(inputs):
            self._pixels[row], _ = preprocess.prepare(Source(item).decode(draft=False, window=preprocess.window))

    def __len__(self) -> int:
        return len(self._pixels)

    def batch(self, rows: Array, draw: Draw | None) -> tuple[Tensor, ...]:
        """Float (N, 3, H, W), channels last in memory."""
        pixels = self.pixels(rows)
        if draw is not None:
            for place, row in enumerate(rows):
                pixels[place] = self._part(pixels[place], draw.generator(row))
        return self.preprocess.tensors(moved(pixels, self._device))

    def pixels(self, rows: Array) -> Tensor:
        """The same as they are held, uint8 (N, H, W, 3), a copy."""
        return torch.from_numpy(self._pixels[rows])

    def above(self, rows: Array, draw: Draw | None) -> tuple[Tensor, ...]:
        """Only a shape: no pixel is looked at."""
        blank = torch.full((1, 1, 1, 1), torch.nan, device=self._device)
        return (blank.expand(len(rows), 3, *self.preprocess.size),)

    def length(self, row: int) -> int:
        """All pictures have one size."""
        return 0

    def part(self, module: nn.Module, width: int, place: str) -> Part | None:
        """See `InputBatches`."""
        mark = f"{self._backbone.fingerprint} up to {place}"
        return partial(self._through, replace(self._backbone, module=module, dim=width, fingerprint=mark))

    def _through(self, part: Backbone, rows: Array, draw: Draw | None) -> Array:
        pixels = [self._pixels[row] for row in rows]
        if draw is not None:
            drawn = [draw.generator(row) for row in rows]
            pixels = [self._part(torch.from_numpy(p), g).numpy() for p, g in zip(pixels, drawn, strict=True)]
        return extract(pixels, part, self._extraction).values

    def _part(self, picture: Tensor, rng: np.random.Generator) -> Tensor:
        height, width = self.preprocess.size
        area = rng.uniform(_SMALLEST, 1.0)
        aspect = np.exp(rng.uniform(*np.log(_ASPECT)))
        high = min(height, round(height * np.sqrt(area / aspect)))
        wide = min(width, round(width * np.sqrt(area * aspect)))
        top, left = int(rng.integers(0, height - high + 1)), int(rng.integers(0, width - wide + 1))
        part = picture.permute(2, 0, 1)[:, top : top + high, left : left + wide]
        return resize(part, (height, width)).permute(1, 2, 0)


class TableBatches:
    """Rows of a table, encoded once, float32 (N, D); not varied."""

    def __init__(
        self, inputs: Any, backbone: Backbone, device: torch.device = CPU, extraction: Extraction = PLAIN
    ) -> None:
        preprocess = cast(TablePreprocess, backbone.preprocess)
        self.preprocess, self._device = preprocess, device
        self.values = torch.from_numpy(preprocess.encode(inputs))

    def __len__(self) -> int:
        return len(self.values)

    def batch(self, rows: Array, draw: Draw | None) -> tuple[Tensor, ...]:
        """(N, D)."""
        return (moved(self.values[rows], self._device),)

    def above(self, rows: Array, draw: Draw | None) -> tuple[Tensor, ...]:
        """The same: there is little of it."""
        return self.batch(rows, draw)

    def length(self, row: int) -> int:
        """All rows have one size."""
        return 0

    def part(self, module: nn.Module, width: int, place: str) -> Part | None:
        """None: layers on some columns are asked by batches."""
        return None


BATCHES: dict[str, Callable[[Sequence[Any], Backbone, torch.device, Extraction], InputBatches]] = {
    IMAGE: PictureBatches,
    TABLE: TableBatches,
    AUDIO: SoundBatches,
}
"""By modality, batches that hold and vary inputs in a way of their own. None: `ItemBatches`."""
