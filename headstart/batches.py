"""What a network is trained on: the rows of a task as tensors, plain or augmented, one batch at a time.

What is drawn for a row depends on the seed, the pass and the row alone, so that a run that was killed draws the same
again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional

from headstart.backbones.backbone import Backbone, PicturePreprocess, TextPreprocess
from headstart.data.task import Array
from headstart.features.prepare import Pixels, normalise, prepare
from headstart.features.source import Source
from headstart.features.tokens import Tokenizer

__all__ = ["Batches", "PictureBatches", "TextBatches", "batches"]

_SMALLEST = 0.6
_ASPECT = (3 / 4, 4 / 3)
_WORDS = 0.1


class Batches(Protocol):
    """batch   the inputs of some rows, as the backbone takes them. draw None: plain, as in prediction"""

    def __len__(self) -> int: ...

    def batch(self, rows: Array, draw: tuple[int, ...] | None) -> tuple[Tensor, ...]: ...


def batches(inputs: Sequence[Any], backbone: Backbone) -> Batches:
    """Those of pictures or texts, as the backbone takes them."""
    if isinstance(backbone.preprocess, PicturePreprocess):
        return PictureBatches(inputs, backbone.preprocess)
    if isinstance(backbone.preprocess, TextPreprocess):
        return TextBatches(inputs, backbone.preprocess)
    raise ValueError(f"{backbone.name} has no network to train: its features are the columns themselves")


class PictureBatches:
    """Pictures, decoded once and held as the backbone sees them, uint8 (N, H, W, 3).

    Augmented: a random part of at least `_SMALLEST` of the area, resized to the whole (Szegedy et al., 2015, section
    6). No picture is mirrored: whether that keeps its class, the data does not say.
    """

    def __init__(self, inputs: Sequence[Any], preprocess: PicturePreprocess) -> None:
        self._preprocess = preprocess
        self._pixels: Pixels = np.empty((len(inputs), *preprocess.size, 3), np.uint8)
        for row, item in enumerate(inputs):
            self._pixels[row] = prepare(Source(item).decode(draft=False), preprocess)

    def __len__(self) -> int:
        return len(self._pixels)

    def batch(self, rows: Array, draw: tuple[int, ...] | None) -> tuple[Tensor, ...]:
        """Float (N, 3, H, W), channels last in memory."""
        pixels = torch.from_numpy(self._pixels[rows])
        if draw is not None:
            for place, row in enumerate(rows):
                pixels[place] = self._part(pixels[place], np.random.default_rng([*draw, int(row)]))
        return (normalise(pixels, self._preprocess),)

    def _part(self, picture: Tensor, rng: np.random.Generator) -> Tensor:
        height, width = self._preprocess.size
        area = rng.uniform(_SMALLEST, 1.0)
        aspect = np.exp(rng.uniform(*np.log(_ASPECT)))
        high = min(height, round(height * np.sqrt(area / aspect)))
        wide = min(width, round(width * np.sqrt(area * aspect)))
        top, left = int(rng.integers(0, height - high + 1)), int(rng.integers(0, width - wide + 1))
        part = picture.permute(2, 0, 1)[:, top : top + high, left : left + wide]
        whole: Tensor = functional.resize_image(part, [height, width], antialias=True)
        return whole.permute(1, 2, 0)


class TextBatches:
    """Texts, tokenized once. Augmented: each word but the first and the last token is hidden with probability `_WORDS`
    (word dropout: Iyyer et al., 2015, section 3.1)."""

    def __init__(self, inputs: Sequence[str], preprocess: TextPreprocess) -> None:
        self._tokenizer = Tokenizer(preprocess)
        self._ids = [self._tokenizer.tokens(text)[0] for text in inputs]

    def __len__(self) -> int:
        return len(self._ids)

    def batch(self, rows: Array, draw: tuple[int, ...] | None) -> tuple[Tensor, ...]:
        """Ids and mask, int64 (N, L) each."""
        ids, mask = self._tokenizer.batch([self._ids[row] for row in rows])
        if draw is not None:
            for place, row in enumerate(rows):
                length = len(self._ids[row])
                hidden = np.random.default_rng([*draw, int(row)]).random(length) < _WORDS
                hidden[[0, -1]] = False
                mask[place, :length][hidden] = 0
        return torch.from_numpy(ids), torch.from_numpy(mask)
