"""Which backbones there are to choose from: those on this machine, or those that are named, at any of their layers.

Names of one backbone and its layers are one trunk: its weights are read once, and one pass serves them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch

from headstart.backbones.backbone import Backbone
from headstart.backbones.layer_name import EVERY, LayerName, parted
from headstart.backbones.layers import WHOLE, Layers, Read
from headstart.backbones.load import load
from headstart.backbones.read_layers import layers_of, read_of, reading
from headstart.errors import BackboneError, DataError
from headstart.linalg.torch_threads import one_torch_thread
from headstart.tasks import AUDIO, IMAGE, TEXT, Modality
from headstart.tasks.task import Array, SetAside

__all__ = ["BUNDLED", "Trunk", "candidate_names", "trunks_for"]

BUNDLED: dict[str, tuple[str, ...]] = {
    IMAGE: ("bundled:efficientnet-lite0", "bundled:mobilenetv2"),
    TEXT: ("bundled:minilm", "bundled:wordllama"),
    AUDIO: ("bundled:speech-embedding", "bundled:whisper-base", "bundled:ge2e"),
}
"""By modality, the backbones that come in packages."""

_SAME = 1e-5


class Trunk(NamedTuple):
    """A backbone, what is read of it by the candidates' names, and how many features each has."""

    backbone: Backbone
    reads: dict[str, Read]
    dims: dict[str, int]

    def backbone_of(self, names: Sequence[str]) -> Backbone:
        """The backbone whose features are those of these candidates, beside each other."""
        reads = [self.reads[name] for name in names]
        if reads == [WHOLE]:
            return replace(self.backbone, name=names[0])
        name = names[0] if len(names) == 1 else f"{self.backbone.name} ({len(names)} readings)"
        return reading(self.backbone, reads, name)


def candidate_names(modality: Modality, names: Sequence[str] | None) -> tuple[str, ...]:
    """The names as they are, or the bundled backbones of the modality.

    ValueError for a name given twice, or none; DataError for data whose columns are the features
    """
    if modality.has_columns:
        raise DataError(f"the features of a {modality} are its columns: there is no backbone to choose, use fit")
    names = BUNDLED.get(modality, ()) if names is None else tuple(names)
    if not names:
        raise ValueError(f"there is no candidate for {modality.noun}: name some, such as candidates=['file:FOLDER']")
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise ValueError(f"{', '.join(twice)} is a candidate twice: name each one once")
    return names


def trunks_for(modality: Modality, names: Sequence[str] | None) -> tuple[tuple[Trunk, ...], tuple[SetAside, ...]]:
    """The candidates that can be used, and why others cannot.

    names   of backbones of any hub; "NAME@*" is each layer of one; None: the bundled ones that are on this machine

    ValueError for a name given twice, or none; DataError for data whose columns are the features; BackboneError where
    no candidate is left
    """
    names = candidate_names(modality, names)
    bases: dict[str, list[str]] = {}
    for name in names:
        bases.setdefault(parted(name).base, []).append(name)
    trunks: list[Trunk] = []
    left_out: list[SetAside] = []
    for base, members in bases.items():
        trunk, unusable = _trunk(modality, base, members)
        trunks += [trunk] if trunk else []
        left_out += unusable
    if not trunks:
        reasons = "; ".join(f"{item.name}: {item.why}" for item in left_out)
        raise BackboneError(f"none of the candidates can be used. {reasons}")
    return tuple(trunks), tuple(left_out)


def _trunk(modality: Modality, base: str, names: Sequence[str]) -> tuple[Trunk | None, list[SetAside]]:
    """Of the names of one backbone."""
    try:
        backbone = replace(load(base), name=base)
    except BackboneError as error:
        return None, [SetAside(name, str(error)) for name in names]
    if backbone.modality != modality:
        why = f"it takes {backbone.modality.noun}, and these are {modality.noun}"
        return None, [SetAside(name, why) for name in names]
    reads: dict[str, Read] = {}
    left_out = []
    for name in names:
        try:
            reads |= _reads(backbone, name)
        except BackboneError as error:
            left_out.append(SetAside(name, str(error)))
    if not reads:
        return None, left_out
    if list(reads.values()) == [WHOLE]:
        return Trunk(backbone, reads, dict.fromkeys(reads, backbone.dim)), left_out
    features = _features(backbone, reads)
    copies = _copies(features)
    left_out += [SetAside(name, f"its features are those of {first}") for name, first in copies.items()]
    reads = {name: read for name, read in reads.items() if name not in copies}
    return Trunk(backbone, reads, {name: features[name].shape[1] for name in reads}), left_out


def _reads(backbone: Backbone, name: str) -> dict[str, Read]:
    layer = parted(name)
    if layer.is_plain:
        return {name: WHOLE}
    if layer.layer != EVERY:
        return {name: read_of(backbone, layer.layer, layer.pool)}
    numbers = [str(number) for number in range(len(layers_of(backbone)))]
    return {_named(layer, number): read_of(backbone, number, layer.pool) for number in numbers}


def _named(layer: LayerName, number: str) -> str:
    path, mark, query = layer.base.partition("?")
    return f"{path}@{number}{f'@{layer.pool}' if layer.pool else ''}{mark}{query}"


def _copies(features: dict[str, Array]) -> dict[str, str]:
    """By name, the candidate before it whose features are the same, as the last layer's are of most networks."""
    copies: dict[str, str] = {}
    for place, name in enumerate(features):
        for other in [other for other in list(features)[:place] if other not in copies]:
            alike = features[other].shape == features[name].shape
            if alike and np.abs(features[other] - features[name]).max() <= _SAME * np.abs(features[name]).max():
                copies[name] = other
                break
    return copies


def _features(backbone: Backbone, reads: dict[str, Read]) -> dict[str, Array]:
    """Of a few made-up inputs, by candidate."""
    module, preprocess = reading(backbone, list(reads.values()), backbone.name).module, backbone.preprocess
    if not isinstance(module, Layers) or preprocess is None:
        raise BackboneError(f"{backbone.name} has no network to run")
    inputs = preprocess.tensors(*(torch.from_numpy(array) for array in preprocess.probe()))
    with torch.inference_mode(), one_torch_thread():
        rows = module.rows(*inputs)
    return {name: part.numpy() for name, part in zip(reads, rows, strict=True)}
