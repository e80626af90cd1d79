"""What a backbone is: a pretrained feature extractor together with everything needed to feed it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from headstart.preprocessing.spec import Preprocess
from headstart.tasks.modality import Modality, modality_named
from headstart.tasks.task import Array

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Backbone", "Classifier", "PretrainedClassifier"]


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
    classifier  the pretrained network with the classifier it was trained with; None where there cannot be one
    """

    name: str
    modality: Modality
    module: nn.Module | None
    dim: int
    preprocess: Preprocess | None
    fingerprint: str
    spec: dict[str, Any]
    stages: tuple[tuple[str, tuple[str, ...]], ...] = ()
    licence: str = ""
    random: Callable[[int], Backbone] | None = field(default=None, compare=False, repr=False)
    classifier: PretrainedClassifier | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "modality", modality_named(self.modality))


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


class PretrainedClassifier(NamedTuple):
    """The classifier of a backbone, read anew from where its weights come from, at each call.

    labels    its labels alone, as in `Classifier`: none of the weights is read for them. None where the weights hold no
              classifier, or its labels have no names
    content   a hash that changes with any file that the network is read from
    read      nothing of it is loaded before the call, which raises as `load` does; None where `labels` is, and where a
              part of the classifier was never trained
    """

    labels: Callable[[], tuple[str, ...] | None]
    content: Callable[[], str]
    read: Callable[[], Classifier | None]

    def __call__(self) -> Classifier | None:
        """The network, read anew."""
        return self.read()
