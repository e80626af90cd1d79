"""What a backbone is: a pretrained feature extractor together with everything needed to feed it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from torch import nn

from headstart.data.task import Array, Modality

__all__ = ["Backbone", "Classifier", "PicturePreprocess", "TextPreprocess"]


@dataclass(frozen=True, kw_only=True)
class PicturePreprocess:
    """From a decoded RGB uint8 picture (3, H, W) to the float input (3, size[0], size[1]) of a backbone.

    Resize the shorter side to `resize` (antialiased), crop the centre to `size`, scale to [0, 1], then
    (x - mean) / std. With `squash`, resize to `size` exactly, without regard to the aspect ratio, and do not crop.

    window   of pictures of more than 8 bits a channel: the numbers that become 0 and 255 when they are decoded. None:
             0 and the most that 16 bits can hold (floating point: 0 and 1)
    """

    size: tuple[int, int]
    resize: int
    interpolation: Literal["bilinear", "bicubic"]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    squash: bool = False
    window: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class TextPreprocess:
    """From a string to token ids. `tokenizer_json` is the whole fast tokenizer, as the `tokenizers` library writes it.

    Truncation at `max_length` tokens (special tokens included) and padding with `pad_id` are done by the caller.
    """

    tokenizer_json: str
    max_length: int
    pad_id: int


@dataclass(frozen=True, kw_only=True)
class Backbone:
    """A frozen feature extractor.

    module      eval mode, float32, on the CPU. image: (N, 3, H, W) float -> (N, dim);
                text: (input_ids (N, L) int64, attention_mask (N, L) int64) -> (N, dim).
                None for tables and arrays, whose features are the columns themselves
    stages      (name, parameter-name prefixes) from the input to the output; for the methods that move weights
    fingerprint blake3 hex of architecture, weights and preprocessing
    spec        JSON that rebuilds the architecture without weights: {"hub": "timm", ...}, see `backbones.load.rebuild`
    random      seed -> the same backbone with random weights: the control of every comparison. None where there are
                no weights
    classifier  the pretrained network with the classifier it was trained with, read anew from where the weights come
                from: nothing of it is loaded before the call, which raises as `load` does. It gives None where the
                weights hold no classifier, or its labels have no names; None where there cannot be one
    """

    name: str
    modality: Modality
    module: nn.Module | None
    dim: int
    preprocess: PicturePreprocess | TextPreprocess | None
    fingerprint: str
    spec: dict[str, Any]
    stages: tuple[tuple[str, tuple[str, ...]], ...] = ()
    licence: str = ""
    random: Callable[[int], Backbone] | None = field(default=None, compare=False, repr=False)
    classifier: Callable[[], Classifier | None] | None = field(default=None, compare=False, repr=False)


class Classifier(NamedTuple):
    """A pretrained network that ends in its own classifier, which was trained on the labels of another task.

    backbone   of the same inputs and preprocessing; its "features" are logits (N, L), so that they are computed and
               kept as any features are. It has a fingerprint of its own, and cannot be rebuilt from its spec
    labels     (L,) what each logit stands for; synonyms are separated by commas ("tabby, tabby cat"), "" has no name
    head       the classifier alone, on features (N, D) of the backbone that it belongs to: (N, L) float64. None where
               only the whole network can be asked
    engine     whose features `head` was fitted on ("name", "precision"); None or {} where that is not known
    """

    backbone: Backbone
    labels: tuple[str, ...]
    head: Callable[[Array], Array] | None = None
    engine: dict[str, Any] | None = None
