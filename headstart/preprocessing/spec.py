"""The preprocessing of pictures, texts and sound: data in the artefact, the only path to the input of a backbone."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np

from headstart.data.bit_depth import in_words
from headstart.preprocessing.prepare import Pixels, normalise, prepare
from headstart.preprocessing.preprocess import (
    Preprocess,
    Schema,
    preprocess_from_json,
    preprocess_to_json,
    register_preprocess,
)
from headstart.preprocessing.sound import SoundPreprocess
from headstart.preprocessing.tokens import Tokenizer
from headstart.tasks import IMAGE, TEXT, Modality
from headstart.tasks.modality import Array

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "PicturePreprocess",
    "Preprocess",
    "SoundPreprocess",
    "TextPreprocess",
    "preprocess_from_json",
    "preprocess_to_json",
]

WINDOW = "window"
PROBES = 4
_WORDS = 0.1
_TEXTS = (
    "The film was much better than I had expected, and the ending is worth the wait.",
    "It stopped working after two weeks and nobody answered.",
    "A bridge over the river was closed on Monday because of the flood, the city said in a statement.",
    "Good value.",
)


def _whole(low: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and low <= value < 1 << 24


def _numbers(count: int, valid: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list | tuple) and len(value) == count and all(map(valid, value))


def _real(value: Any) -> bool:
    return type(value) in (int, float) and isfinite(value)


def _is_tokenizer(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return "model" in json.loads(value)
    except (ValueError, TypeError):
        return False


_PAIR = _numbers(2, _real)
_PICTURE: Schema = {
    "size": (_numbers(2, _whole(1)), "two whole numbers of pixels, height and width"),
    "resize": (_whole(1), "a whole number of pixels"),
    "interpolation": (lambda value: value in ("bilinear", "bicubic"), "'bilinear' or 'bicubic'"),
    "mean": (_numbers(3, _real), "three numbers"),
    "std": (_numbers(3, lambda value: _real(value) and value > 0), "three positive numbers"),
    "squash": (lambda value: isinstance(value, bool), "true or false"),
    WINDOW: (lambda value: _PAIR(value) and value[0] < value[1], "two ascending numbers"),
}
_TEXT: Schema = {
    "tokenizer_json": (_is_tokenizer, "the JSON of a fast tokenizer"),
    "max_length": (_whole(1), "a whole number of tokens"),
    "pad_id": (_whole(0), "the number of a token"),
}


@dataclass(frozen=True, kw_only=True)
class PicturePreprocess(Preprocess):
    """From a decoded RGB uint8 picture (3, H, W) to the float input (3, size[0], size[1]) of a backbone.

    Resize the shorter side to `resize` (antialiased), crop the centre to `size`, scale to [0, 1], then
    (x - mean) / std. With `squash`, resize to `size` exactly, without regard to the aspect ratio, and do not crop.

    window   of pictures of more than 8 bits a channel: the numbers that become 0 and 255 when they are decoded. None:
             0 and the most that 16 bits can hold (floating point: 0 and 1)
    """

    kind: ClassVar[str] = "picture"
    modality: ClassVar[Modality] = IMAGE
    schema: ClassVar[Schema] = _PICTURE
    optional: ClassVar[frozenset[str]] = frozenset({WINDOW})

    size: tuple[int, int]
    resize: int
    interpolation: Literal["bilinear", "bicubic"]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    squash: bool = False
    window: tuple[float, float] | None = None

    @classmethod
    def of_fields(cls, fields: dict[str, Any]) -> Self:
        """See `Preprocess`, as all that follows."""
        window = fields.get(WINDOW)
        numbers = {
            "size": tuple(fields["size"]),
            "mean": tuple(map(float, fields["mean"])),
            "std": tuple(map(float, fields["std"])),
            WINDOW: None if window is None else tuple(map(float, window)),
        }
        return cls(**(fields | numbers))

    @property
    def shape(self) -> tuple[int, ...] | None:
        return self.size

    def prepare(self, item: Tensor) -> tuple[Array, int]:
        """The decoded picture, uint8 (3, H, W), resized and cropped: uint8 (size[0], size[1], 3), and nothing cut."""
        return prepare(item, self), 0

    def collate(self, prepared: Sequence[Array]) -> tuple[Array, ...]:
        return (np.stack(prepared),)

    def tensors(self, *batch: Tensor) -> tuple[Tensor, ...]:
        return (normalise(batch[0], self),)

    def example(self) -> tuple[Tensor, ...]:
        import torch

        return (torch.zeros(2, 3, *self.size),)

    def largest(self) -> tuple[Tensor, ...]:
        import torch

        return (torch.zeros(1, 3, *self.size),)

    def probe(self) -> tuple[Array, ...]:
        """`PROBES` pictures of soft coloured shapes with some grain."""
        return (_made_up(*self.size),)

    def measure(self, inputs: tuple[Tensor, ...]) -> int:
        return 0

    def resized(self, inputs: tuple[Tensor, ...], rows: int, length: int) -> tuple[Tensor, ...]:
        import torch

        return (torch.cat([inputs[0][:1]] * rows),)

    def blank(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Pictures that nothing above a cut may look at."""
        import torch

        return (torch.full((1, 1, 1, 1), torch.nan, device=inputs[0].device).expand(inputs[0].shape),)

    def described(self, inputs: str) -> str:
        how = "resized without regard to shape" if self.squash else f"the centre, shorter side at {self.resize}"
        deep = f"; of more than 8 bits {in_words(self.window)}" if self.window else ""
        return f"{inputs}, seen at {self.size[0]} x {self.size[1]} pixels ({how}){deep}"

    def with_window(self, window: tuple[float, float] | None) -> Self:
        return replace(self, window=window)


@dataclass(frozen=True, kw_only=True)
class TextPreprocess(Preprocess):
    """From a string to token ids. `tokenizer_json` is the whole fast tokenizer, as the `tokenizers` library writes it.

    Truncation at `max_length` tokens (special tokens included) and padding with `pad_id` are done by the caller.
    Varied, each word but the first and the last token is hidden with probability `_WORDS` (word dropout: Iyyer et al.,
    2015, section 3.1).
    """

    kind: ClassVar[str] = "text"
    modality: ClassVar[Modality] = TEXT
    schema: ClassVar[Schema] = _TEXT
    files: ClassVar[dict[str, str]] = {"tokenizer_json": "tokenizer.json"}

    tokenizer_json: str
    max_length: int
    pad_id: int

    def prepare(self, item: str) -> tuple[Array, int]:
        """See `Preprocess`, as all that follows."""
        return self._tokenizer.tokens(item)

    def collate(self, prepared: Sequence[Array]) -> tuple[Array, ...]:
        """Ids and mask, int64 (N, L) each."""
        return self._tokenizer.batch(prepared)

    def vary(self, batch: tuple[Array, ...], place: int, length: int, rng: np.random.Generator) -> None:
        hidden = rng.random(length) < _WORDS
        hidden[[0, -1]] = False
        batch[1][place, :length][hidden] = 0

    def example(self) -> tuple[Tensor, ...]:
        import torch

        return torch.ones(2, 8, dtype=torch.int64), torch.ones(2, 8, dtype=torch.int64)

    def largest(self) -> tuple[Tensor, ...]:
        import torch

        return torch.full((1, self.max_length), self.pad_id), torch.ones(1, self.max_length).long()

    def probe(self) -> tuple[Array, ...]:
        """`PROBES` short texts."""
        return self.collate([self.prepare(text)[0] for text in _TEXTS])

    def resized(self, inputs: tuple[Tensor, ...], rows: int, length: int) -> tuple[Tensor, ...]:
        """None of the tokens is masked."""
        import torch

        ids, mask = inputs
        ids = ids[:1].repeat(rows, -(-length // ids.shape[1]))[:, :length]
        return ids, torch.ones_like(ids).to(mask.dtype)

    def described(self, inputs: str) -> str:
        return f"{inputs} of up to {self.max_length} tokens; what is beyond is cut off"

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return Tokenizer(self)


def _made_up(height: int, width: int) -> Pixels:
    draw = np.random.default_rng(0)
    down, across = np.linspace(0, 1, height)[:, None, None], np.linspace(0, 1, width)[None, :, None]
    pictures = np.zeros((PROBES, height, width, 3))
    for picture in pictures:
        for _ in range(6):
            waves, phase = draw.uniform(0.5, 6, (2, 3)), draw.uniform(0, 6.3, 3)
            picture += np.sin(2 * np.pi * (waves[0] * down + waves[1] * across) + phase)
    pictures = pictures * 32 + 128 + draw.normal(0, 8, pictures.shape)
    return np.clip(pictures, 0, 255).astype(np.uint8)


for _preprocess in (PicturePreprocess, TextPreprocess, SoundPreprocess):
    register_preprocess(_preprocess)
