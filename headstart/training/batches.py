"""What a network is trained on: the rows of a task as tensors, plain or augmented, one batch at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol, cast

import numpy as np
import torch
from torch import Tensor, nn

from headstart.backbones.backbone import Backbone
from headstart.features.extract import Extraction, extract
from headstart.features.picture_input import Source
from headstart.preprocessing.prepare import Pixels, normalise, prepare
from headstart.preprocessing.spec import PicturePreprocess, TextPreprocess
from headstart.preprocessing.tokens import Tokenizer
from headstart.preprocessing.vision import vision
from headstart.tasks.task import Array
from headstart.training.augmentation import Draw

__all__ = ["CPU", "PLAIN", "Batches", "PictureBatches", "TextBatches", "batches", "moved"]

CPU = torch.device("cpu")
PLAIN = Extraction(engine="torch", precision="float32", thumbs=False)
_SMALLEST = 0.6
_ASPECT = (3 / 4, 4 / 3)
_WORDS = 0.1


class Batches(Protocol):
    """batch   the inputs of some rows, as the backbone takes them. draw None: plain, as in prediction"""

    def __len__(self) -> int: ...

    def batch(self, rows: Array, draw: Draw | None) -> tuple[Tensor, ...]: ...


def batches(
    inputs: Sequence[Any], backbone: Backbone, device: torch.device = CPU, extraction: Extraction = PLAIN
) -> Batches:
    """Those of pictures or texts, as the backbone takes them, on the device where it calculates.

    extraction   how a frozen part of the backbone is run
    """
    if isinstance(backbone.preprocess, PicturePreprocess):
        return PictureBatches(inputs, backbone, device, extraction)
    if isinstance(backbone.preprocess, TextPreprocess):
        return TextBatches(inputs, backbone.preprocess, device)
    raise ValueError(f"{backbone.name} has no network to train: its features are the columns themselves")


class PictureBatches:
    """Pictures, decoded once and held as the backbone sees them, uint8 (N, H, W, 3).

    Augmented: a random part of at least `_SMALLEST` of the area, resized to the whole (Szegedy et al., 2015, section
    6). No picture is mirrored: whether that keeps its class, the data does not say.
    """

    def __init__(
        self, inputs: Sequence[Any], backbone: Backbone, device: torch.device = CPU, extraction: Extraction = PLAIN
    ) -> None:
        preprocess = cast(PicturePreprocess, backbone.preprocess)
        self._preprocess, self._device, self._extraction = preprocess, device, extraction
        # Pixels are prepared already: squashed to the size that they have, they stay as they are.
        self._backbone = replace(backbone, preprocess=replace(preprocess, squash=True))
        self._pixels: Pixels = np.empty((len(inputs), *preprocess.size, 3), np.uint8)
        for row, item in enumerate(inputs):
            self._pixels[row] = prepare(Source(item).decode(draft=False, window=preprocess.window), preprocess)

    def __len__(self) -> int:
        return len(self._pixels)

    def batch(self, rows: Array, draw: Draw | None) -> tuple[Tensor, ...]:
        """Float (N, 3, H, W), channels last in memory."""
        pixels = torch.from_numpy(self._pixels[rows])
        if draw is not None:
            for place, row in enumerate(rows):
                pixels[place] = self._part(pixels[place], draw.generator(row))
        return (normalise(moved(pixels, self._device), self._preprocess),)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of what the backbone sees."""
        return self._preprocess.size

    @property
    def device(self) -> torch.device:
        """Where batches are."""
        return self._device

    def part(self, module: nn.Module, width: int, place: str) -> Backbone:
        """A part of the backbone, from its inputs to the `width` figures of a place, as a backbone for `through`."""
        mark = f"{self._backbone.fingerprint} up to {place}"
        return replace(self._backbone, module=module, dim=width, fingerprint=mark)

    def through(self, part: Backbone, rows: Array, draw: Draw | None) -> Array:
        """What the part makes of these rows, float32 (N, width), by the engine of frozen passes."""
        pixels = [self._pixels[row] for row in rows]
        if draw is not None:
            drawn = [draw.generator(row) for row in rows]
            pixels = [self._part(torch.from_numpy(p), g).numpy() for p, g in zip(pixels, drawn, strict=True)]
        return extract(pixels, part, self._extraction).values

    def _part(self, picture: Tensor, rng: np.random.Generator) -> Tensor:
        height, width = self._preprocess.size
        area = rng.uniform(_SMALLEST, 1.0)
        aspect = np.exp(rng.uniform(*np.log(_ASPECT)))
        high = min(height, round(height * np.sqrt(area / aspect)))
        wide = min(width, round(width * np.sqrt(area * aspect)))
        top, left = int(rng.integers(0, height - high + 1)), int(rng.integers(0, width - wide + 1))
        part = picture.permute(2, 0, 1)[:, top : top + high, left : left + wide]
        whole: Tensor = vision().functional.resize_image(part, [height, width], antialias=True)
        return whole.permute(1, 2, 0)


class TextBatches:
    """Texts, tokenized once. Augmented: each word but the first and the last token is hidden with probability `_WORDS`
    (word dropout: Iyyer et al., 2015, section 3.1)."""

    def __init__(self, inputs: Sequence[str], preprocess: TextPreprocess, device: torch.device = CPU) -> None:
        self._device = device
        self._tokenizer = Tokenizer(preprocess)
        self._ids = [self._tokenizer.tokens(text)[0] for text in inputs]

    def __len__(self) -> int:
        return len(self._ids)

    def batch(self, rows: Array, draw: Draw | None) -> tuple[Tensor, ...]:
        """Ids and mask, int64 (N, L) each."""
        ids, mask = self._tokenizer.batch([self._ids[row] for row in rows])
        if draw is not None:
            for place, row in enumerate(rows):
                length = len(self._ids[row])
                hidden = draw.generator(row).random(length) < _WORDS
                hidden[[0, -1]] = False
                mask[place, :length][hidden] = 0
        return moved(torch.from_numpy(ids), self._device), moved(torch.from_numpy(mask), self._device)

    def length(self, row: int) -> int:
        """How many tokens it has."""
        return len(self._ids[row])


def moved(tensor: Tensor, device: torch.device) -> Tensor:
    """On the device; to a GPU from pinned memory, while it calculates."""
    return tensor if device.type == "cpu" else tensor.pin_memory().to(device, non_blocking=True)
