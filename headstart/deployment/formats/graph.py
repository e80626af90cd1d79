"""A fitted model as one torch module: the whole of a prediction, from prepared inputs to decisions.

    inputs -> preprocessing -> backbone -> (encoder's features) -> head over its temperature -> decision

What stays outside is what no tensor holds: the bytes of a picture or recording, the words of a text, the cells of a
table. `Reading` says by name what each input is, so that whoever runs the module elsewhere can make it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from headstart.artefact.model import Model
from headstart.deployment.formats.heads import Answer, exportable_head
from headstart.deployment.formats.reading import Reading, padded, reading_of
from headstart.preprocessing.sound import SoundPreprocess

__all__ = ["Graph", "Prediction", "graph_of", "of_one_length", "run"]


class Prediction(nn.Module):
    """The inputs of a model, as `Reading` names them -> (probabilities (N, C) float32, decision int64[, features])
    or (values (N,) float64[, features]).

    The answers of models that are averaged are averaged here.
    """

    def __init__(self, members: list[Member], answer: Answer) -> None:
        super().__init__()
        self.fronts = nn.ModuleList(member.front for member in members)
        self.heads = nn.ModuleList(member.head for member in members)
        self.answer = answer
        self.weights = [member.weight for member in members]
        self.places = [member.places for member in members]

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        predictions: Tensor | None = None
        rows: list[Tensor] = []
        parts = zip(self.fronts, self.heads, self.weights, self.places, strict=True)
        for front, head, weight, places in parts:
            features = front(*(inputs[place] for place in places))
            part = self.answer.predictions(head(features)) * weight
            predictions = part if predictions is None else predictions + part
            rows.append(features)
        if predictions is None:
            raise ValueError("a prediction of no model")
        return (*self.answer(predictions), *(rows if len(rows) == 1 else ()))


class Member(NamedTuple):
    """A model among those that are averaged: what makes its features, its head, its share, and which of the inputs it
    takes."""

    front: nn.Module
    head: nn.Module
    weight: float
    places: tuple[int, ...]


class Graph(NamedTuple):
    """module    in eval mode, on the CPU
    readings  by member of an average, how its inputs are made; those that take the same share them
    example   inputs of two rows
    axes      of each input, the names of the axes whose length is free
    outputs   the names of what it returns
    """

    module: Prediction
    readings: tuple[Reading, ...]
    inputs: tuple[str, ...]
    example: tuple[Tensor, ...]
    axes: tuple[Mapping[int, str], ...]
    outputs: tuple[str, ...]


def of_one_length(graph: Graph) -> Graph | None:
    """The same for recordings in windows of one length, the longest, with silence behind the shorter ones; None where
    no input is a recording of another length. For networks whose graph depends on how long their input is."""
    if not any(
        isinstance(reading.form, SoundPreprocess) and "samples" in reading.axes[0].values()
        for reading in graph.readings
    ):
        return None
    readings = tuple(padded(reading) for reading in graph.readings)
    by_name = {
        name: (example, axes)
        for reading in readings
        for name, example, axes in zip(reading.inputs, reading.example, reading.axes, strict=True)
    }
    example, axes = zip(*(by_name[name] for name in graph.inputs), strict=True)
    return graph._replace(readings=readings, example=example, axes=axes)


def graph_of(model: Model) -> Graph:
    """The module of a fitted model. `ArtefactError` where it cannot be made one, in words."""
    names: list[str] = []
    example: list[Tensor] = []
    axes: list[Mapping[int, str]] = []
    members: list[Member] = []
    readings: list[Reading] = []
    for share in model.members:
        reading = reading_of(share.model)
        same = next((other for other in readings if other.same_inputs(reading)), None)
        if same is None:
            named = [_free(name, names) for name in reading.inputs]
            reading = reading.renamed(tuple(named))
            names += named
            example += reading.example
            axes += reading.axes
        else:
            reading = reading._replace(inputs=same.inputs, columns=same.columns)
        places = tuple(names.index(name) for name in reading.inputs)
        members.append(Member(reading.front, exportable_head(share.model.head), share.weight, places))
        readings.append(reading)
    answer = Answer(model.head)
    module = Prediction(members, answer).eval().requires_grad_(False)
    outputs = answer.outputs + (("features",) if len(members) == 1 else ())
    return Graph(module, tuple(readings), tuple(names), tuple(example), tuple(axes), outputs)


def _free(name: str, taken: list[str]) -> str:
    """The name, with a number behind it where another has it."""
    number = 1 + sum(other.rpartition(".")[0] == name or other == name for other in taken)
    return name if number == 1 else f"{name}.{number}"


def run(graph: Graph, feeds: Mapping[str, Any]) -> dict[str, Any]:
    """What the module answers, as arrays by name."""
    with torch.inference_mode():
        outputs = graph.module(*(torch.as_tensor(feeds[name]) for name in graph.inputs))
    return {name: output.numpy() for name, output in zip(graph.outputs, outputs, strict=True)}
