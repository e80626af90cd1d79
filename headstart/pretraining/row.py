"""A row of the table of pretraining: what it is for, which options it has, and how a backbone learns by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple, Protocol, Self, cast

import torch
from torch import nn

from headstart.backbones.backbone import Backbone
from headstart.backbones.fingerprint import fingerprint
from headstart.checks import at_least
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet
from headstart.listener import Listener
from headstart.preprocessing.spec import PicturePreprocess
from headstart.pretraining.watch import Health
from headstart.tasks import Modality
from headstart.training.checkpoint import Journal
from headstart.training.declared import Option, refuse_unknown, typed
from headstart.training.loop import Curve

__all__ = ["Learnt", "Row", "Size", "kept", "resized", "set_options"]

FROM_SCRATCH = 1e-3
"""The learning rate of random weights, where none is given."""


class Learnt(NamedTuple):
    """A backbone that has learnt, and how that went.

    first, history   what the embeddings told before the training, and after each epoch; None and nothing with labels
    held_out         with labels: how well those held out are told
    journal          of the training, to be closed once the backbone is kept
    """

    backbone: Backbone
    first: Health | None
    history: list[Health]
    held_out: dict[str, Any]
    curves: list[Curve]
    parameters: int
    seconds: float
    notes: tuple[str, ...]
    journal: Journal


class Row(Protocol):
    """about        what it is for, in a line
    modalities   of the inputs that it is for
    labelled     whether it learns from labels
    """

    @property
    def about(self) -> str: ...

    @property
    def modalities(self) -> tuple[Modality, ...]: ...

    @property
    def labelled(self) -> bool: ...

    @property
    def size(self) -> Size: ...

    def options(self) -> dict[str, Option]:
        """What can be set, by name."""

    def configured(self, name: str, options: Mapping[str, Any], seed: int, *, scratch: bool) -> Self:
        """The row with these options set. Raises ValueError for an option that it does not have, naming the nearest.

        scratch   whether the weights that it begins with are random
        """

    def learn(self, name: str, rows: FeatureSet, backbone: Backbone, how: tuple[Extraction, Listener]) -> Learnt:
        """A backbone that goes on from the given one, which stays as it is. `TrainingError` where it cannot learn."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """size   of pictures in pixels, at which the backbone learns and is kept; 0: its own"""

    size: int = 0

    def __post_init__(self) -> None:
        at_least("size", self.size, 0)


def set_options(
    name: str, declared: dict[str, Option], options: Mapping[str, Any], parts: Mapping[str, Any], *, scratch: bool
) -> dict[str, Any]:
    """The dataclasses `parts`, by name, with those of the options that are fields of them."""
    for option in options:
        refuse_unknown(name, option, declared)
    values = {option: typed(declared[option], value) for option, value in options.items()}
    if scratch:
        values.setdefault("lr", FROM_SCRATCH)
    return {
        part: replace(value, **{item.name: values[item.name] for item in fields(value) if item.name in values})
        for part, value in parts.items()
    }


def resized(backbone: Backbone, size: int) -> Backbone:
    """The same for pictures of size x size pixels. ValueError where the network does not take them."""
    preprocess = backbone.preprocess
    if not size or not isinstance(preprocess, PicturePreprocess) or preprocess.size == (size, size):
        return backbone
    share = preprocess.resize / min(preprocess.size)
    other = replace(preprocess, size=(size, size), resize=max(size, round(size * share)))
    module = cast(nn.Module, backbone.module)
    try:
        with torch.no_grad():
            module(*other.largest())
    except (RuntimeError, AssertionError, ValueError, IndexError) as error:
        raise ValueError(
            f"size = {size}: {backbone.name} does not take pictures of {size} x {size} pixels ({error}); leave it out, "
            f"for its own {preprocess.size[0]}"
        ) from error
    return replace(backbone, preprocess=other, fingerprint=fingerprint(module, other, backbone.spec), classifier=None)


def kept(module: nn.Module, before: Backbone, name: str) -> Backbone:
    """The backbone that has learnt by a method, with a name and a fingerprint of its own."""
    module = module.cpu().to(memory_format=torch.contiguous_format).requires_grad_(False).eval()
    label = f"{before.name.partition('?')[0].partition('+')[0]}+{name}"
    mark = fingerprint(module, before.preprocess, before.spec)
    return replace(before, name=label, module=module, fingerprint=mark, classifier=None)
