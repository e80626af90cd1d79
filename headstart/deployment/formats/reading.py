"""What a model takes as tensors, by modality, and how these are made of what a person gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from headstart.artefact.model import Model
from headstart.backbones.backbone import Backbone
from headstart.backbones.onnx import Onnx
from headstart.deployment.formats.cells import CellColumn, cell_columns
from headstart.deployment.formats.onnx_backbone import OnnxFile
from headstart.deployment.formats.pixels import PixelsToInput
from headstart.errors import ArtefactError
from headstart.preprocessing.numbers import NumberPreprocess
from headstart.preprocessing.preprocess import Preprocess, preprocess_to_json
from headstart.preprocessing.sound import SoundPreprocess
from headstart.preprocessing.spec import PicturePreprocess, TextPreprocess
from headstart.preprocessing.table_encoder import TableEncoder
from headstart.preprocessing.table_preprocess import TablePreprocess
from headstart.preprocessing.term_encoder import TermEncoder

__all__ = ["FileBeside", "Reading", "padded", "reading_of"]


class FileBeside(NamedTuple):
    """A file that lies beside an exported model: its name, and the SHA-256 of what it holds, in hexadecimal."""

    file: str
    sha256: str


class Reading(NamedTuple):
    """From tensors to the features of a model, and what these tensors are.

    front     the module: tensors -> (N, D) features
    inputs    the names of the tensors
    example   of two rows
    axes      of each, the names of the axes whose length is free
    form      the preprocessing, or the encoder, that makes them; None where a row of numbers is one as it stands
    columns   of a table, as they are
    of_one_length   of recordings: all waves have the longest length
    beside    what is needed of a file
    """

    front: nn.Module
    inputs: tuple[str, ...]
    example: tuple[Tensor, ...]
    axes: tuple[Mapping[int, str], ...]
    form: Any
    columns: tuple[CellColumn, ...] = ()
    of_one_length: bool = False
    beside: FileBeside | None = None

    def renamed(self, inputs: tuple[str, ...]) -> Reading:
        """With other names of the tensors, and so of the columns that they are made of."""
        if inputs == self.inputs:
            return self
        columns = tuple(column._replace(input=f"{inputs[0]}/{column.input}") for column in self.columns)
        return self._replace(inputs=inputs, columns=columns)

    def same_inputs(self, other: Reading) -> bool:
        """Whether both take the very same tensors."""
        if isinstance(self.form, PicturePreprocess) and isinstance(other.form, PicturePreprocess):
            return self.form.window == other.form.window
        return type(self.form) is type(other.form) and _state(self.form) == _state(other.form)

    def to_json(self) -> dict[str, Any]:
        """For whoever makes the tensors without headstart."""
        record: dict[str, Any] = {"inputs": list(self.inputs), **_told(self.form)}
        if self.columns:
            record["columns"] = [column._asdict() for column in self.columns]
        if isinstance(self.form, SoundPreprocess):
            record["of_one_length"] = self.of_one_length
        return record | ({} if self.beside is None else self.beside._asdict())


def _state(form: Any) -> Any:
    """What is equal where two make the same tensors."""
    if isinstance(form, Preprocess):
        return preprocess_to_json(form)
    if isinstance(form, TermEncoder):
        return form.terms, form.rarity.tolist(), form.other
    return form.state()[0] if isinstance(form, TableEncoder) else None


def _told(form: Any) -> dict[str, Any]:
    """The same as JSON, without what lies beside the file."""
    if isinstance(form, Preprocess):
        return {name: value for name, value in (preprocess_to_json(form) or {}).items() if name not in form.files}
    if isinstance(form, TableEncoder):
        return {"kind": "cells", "encoder": form.state()[0], "names": list(form.names)}
    return {"kind": "terms"} if isinstance(form, TermEncoder) else {"kind": "columns"}


def reading_of(model: Model) -> Reading:
    """Of a fitted model. `ArtefactError` where no tensors can be made of its inputs without headstart."""
    if model.backbone is not None and model.backbone.module is not None:
        preprocess = model.backbone.preprocess
        make = _BY_PREPROCESS.get(type(preprocess))
        if make is None:
            raise ArtefactError(f"a model with the preprocessing {type(preprocess).__name__} cannot be exported")
        return make(model.backbone, preprocess)
    if model.encoder is None:
        return _columns(model.head.width)
    return _encoded(model)


class _Network(nn.Module):
    """A backbone behind what makes its input: -> float32 (N, D)."""

    def __init__(self, before: nn.Module | None, backbone: Backbone) -> None:
        super().__init__()
        self.before = before
        self.backbone = _network(backbone)

    def forward(self, *inputs: Tensor) -> Tensor:
        taken = inputs if self.before is None else (self.before(*inputs),)
        features: Tensor = self.backbone(*taken)
        return features.float()


def _network(backbone: Backbone) -> nn.Module:
    network, form = cast(nn.Module, backbone.module), backbone.preprocess
    return OnnxFile(network, form.example()) if isinstance(network, Onnx) and form is not None else network


class _Heard(nn.Module):
    """Waves (W, T), their samples (W,), and the share (N, W) of each window in a recording -> (N, D), the mean."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = cast(nn.Module, backbone.module)

    def forward(self, waves: Tensor, samples: Tensor, share: Tensor) -> Tensor:
        features: Tensor = self.backbone(waves, samples)
        return (share.double() @ features.double()).float()


class _Numbers(nn.Module):
    """float64 (N, D) as given -> what the network of `NumberPreprocess` takes."""

    mean: Tensor
    scale: Tensor

    def __init__(self, form: NumberPreprocess) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(form.mean, dtype=torch.float64))
        self.register_buffer("scale", torch.tensor(form.scale, dtype=torch.float64))

    def forward(self, columns: Tensor) -> Tensor:
        x = (columns - self.mean) / self.scale
        return torch.where(torch.isnan(x) | torch.isinf(x), 0.0, x).float()


def _pictures(backbone: Backbone, form: PicturePreprocess) -> Reading:
    example = torch.arange(2 * 40 * 56 * 3).reshape(2, 40, 56, 3).remainder(251).to(torch.uint8)
    axes = {0: "rows", 1: "height", 2: "width"}
    front = _Network(PixelsToInput(form), backbone)
    return Reading(front, ("pixels",), (example,), (axes,), form)


def _texts(backbone: Backbone, form: TextPreprocess) -> Reading:
    example = form.example()
    axes = {0: "rows", 1: "tokens"}
    names = ("input_ids", "attention_mask")
    return Reading(_Network(None, backbone), names, example, (axes, axes), form)


def _sounds(backbone: Backbone, form: SoundPreprocess) -> Reading:
    length = min(form.max_samples, form.min_samples + 2 * form.rate)
    wave = torch.sin(torch.arange(2 * length) / 7).reshape(2, length)
    example = (wave, torch.tensor([length, form.min_samples]), torch.eye(2))
    axes = ({0: "windows", 1: "samples"}, {0: "windows"}, {0: "rows", 1: "windows"})
    if form.min_samples == form.max_samples:
        axes = ({0: "windows"}, *axes[1:])
    whole = form.min_samples == form.max_samples
    return Reading(_Heard(backbone), ("waves", "samples", "share"), example, axes, form, of_one_length=whole)


def padded(reading: Reading) -> Reading:
    """Of recordings, with waves of the longest length alone; of others the same."""
    if not isinstance(reading.form, SoundPreprocess):
        return reading
    waves, *others = reading.example
    whole = nn.functional.pad(waves, (0, reading.form.max_samples - waves.shape[1]))
    axes = ({0: "windows"}, *reading.axes[1:])
    return reading._replace(example=(whole, *others), axes=axes, of_one_length=True)


def _numbers(backbone: Backbone, form: NumberPreprocess) -> Reading:
    example = (torch.zeros(2, len(form.mean), dtype=torch.float64),)
    return Reading(_Network(_Numbers(form), backbone), ("columns",), example, ({0: "rows"},), form)


def _tables(backbone: Backbone, form: TablePreprocess) -> Reading:
    encoder, example = form.learnt, (torch.zeros(2, form.width),)
    columns = cell_columns(encoder)
    return Reading(_Network(None, backbone), ("encoded",), example, ({0: "rows"},), encoder, columns)


def _columns(width: int) -> Reading:
    example = (torch.zeros(2, width, dtype=torch.float64),)
    return Reading(nn.Identity(), ("columns",), example, ({0: "rows"},), None)


def _encoded(model: Model) -> Reading:
    """A model without a network, whose encoder makes the features."""
    from headstart.methods.answers import encoder_of

    encoder = encoder_of(model)
    if isinstance(encoder, TableEncoder):
        example = (torch.zeros(2, encoder.width),)
        return Reading(nn.Identity(), ("encoded",), example, ({0: "rows"},), encoder, cell_columns(encoder))
    if isinstance(encoder, TermEncoder):
        example = (torch.zeros(2, encoder.width, dtype=torch.float64),)
        return Reading(nn.Identity(), ("terms",), example, ({0: "rows"},), encoder)
    raise ArtefactError(
        f"a model of {model.modality.noun} without a network stands on descriptions that only headstart computes, and "
        "cannot be exported: fit one with a backbone, such as method 'probe'"
    )


_BY_PREPROCESS: dict[type, Callable[[Backbone, Any], Reading]] = {
    PicturePreprocess: _pictures,
    TextPreprocess: _texts,
    SoundPreprocess: _sounds,
    NumberPreprocess: _numbers,
    TablePreprocess: _tables,
}
