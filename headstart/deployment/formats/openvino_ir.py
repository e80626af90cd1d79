"""A model as OpenVINO's intermediate representation: model.xml and model.bin, for Intel's and other processors.

It is converted from the same graph as the ONNX file: what `headstart/inputs` in its rt_info says goes in, probabilities
and decisions come out. OpenVINO computes in single precision, in which pixels cannot be resized as exactly as headstart
does it, so that pictures go in resized and cropped, as `preprocess.json` says, and are scaled inside.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from headstart.artefact import Model
from headstart.deployment.formats.class_names import class_names, utf8
from headstart.deployment.formats.comparison import Expected, compared_with, expected_of
from headstart.deployment.formats.feeds import BATCH, batches
from headstart.deployment.formats.formats import Exported, Options
from headstart.deployment.formats.graph import Graph, graph_of
from headstart.deployment.formats.model_card import write_card
from headstart.deployment.formats.notes import notes_of
from headstart.deployment.formats.onnx_graph import OPSET, metadata_of, onnx_of, runnable
from headstart.deployment.formats.pixels import PixelsToInput
from headstart.deployment.formats.staged_folder import files_in, new_folder
from headstart.errors import ArtefactError
from headstart.features.engines.engine import Unfit
from headstart.features.engines.openvino_engine import import_openvino
from headstart.features.picture_input import Source
from headstart.preprocessing.spec import PicturePreprocess, TextPreprocess
from headstart.tasks.task import Array, Task
from headstart.transfer import Transfer

__all__ = ["answers_of_ir", "write_openvino"]

_EXACT = {"INFERENCE_PRECISION_HINT": "f32"}
_LOADS = """```python
import openvino

model = openvino.Core().read_model("{name}/model.xml")
compiled = openvino.compile_model(model, "CPU", {{"INFERENCE_PRECISION_HINT": "f32"}})
print(model.get_rt_info(["headstart", "inputs"]).astype(str))
answers = compiled({inputs})
```"""


def write_openvino(fitted: Transfer, path: Path, options: Options) -> Exported:
    """Write the folder, read it anew with OpenVINO, compare, and only then put it in place.

    Raises ImportError where openvino or what writes ONNX is missing, ValueError for a model of tables, whose words
    OpenVINO has no operators for, and ArtefactError where it answers otherwise or cannot be converted.
    """
    model = fitted.model_
    if model.modality.has_names:
        raise ValueError(
            "OpenVINO has no operators for the words in a table: export it to ONNX (--onnx), to skops (--skops) or to "
            "MLflow (--mlflow)"
        )
    try:
        openvino = import_openvino()
    except Unfit as error:
        raise ImportError(str(error)) from error
    runnable()
    with new_folder(path, "openvino", overwrite=options.overwrite) as stage:
        graph = _exact(graph_of(model))
        openvino.save_model(_converted(openvino, graph, model), stage / "model.xml", compress_to_fp16=False)
        preprocess = model.backbone.preprocess if model.backbone is not None else None
        if isinstance(preprocess, TextPreprocess):
            (stage / "tokenizer.json").write_text(preprocess.tokenizer_json, "utf-8")
        _write_inputs(graph, stage)
        write_card(model, stage, path.name, _LOADS.format(name=path.name, inputs=", ".join(graph.inputs)))
        expected = expected_of(fitted, options)
        parity = compared_with(fitted, expected, *answers_of_ir(openvino, stage, graph, expected))
    return Exported("openvino", path, tuple(files_in(path)), parity, notes_of(model))


class _Scaled(PixelsToInput):
    """uint8 (N, size[0], size[1], 3), resized and cropped -> float32 (N, 3, size[0], size[1])."""

    def forward(self, pixels: Tensor) -> Tensor:
        return pixels.permute(0, 3, 1, 2).float() * self.scale + self.shift


def _exact(graph: Graph) -> Graph:
    """The graph, which takes pictures that are resized and cropped; any other as it is. ValueError where networks that
    are averaged see pictures in different sizes."""
    forms = [reading.form for reading in graph.readings]
    first = forms[0]
    if not isinstance(first, PicturePreprocess):
        return graph
    if any(form != first for form in forms):
        raise ValueError("the networks of this model see pictures in different sizes: export it to ONNX (--onnx)")
    for front in graph.module.fronts:
        front.before = _Scaled(first)
    example = (torch.zeros(2, *first.size, 3, dtype=torch.uint8),)
    return graph._replace(example=example, axes=({0: "rows"},))


def _inputs_of(graph: Graph) -> list[dict[str, Any]]:
    """How the inputs are made of files; pictures are resized and cropped before they go in."""
    return [
        reading.to_json() | ({"prepared": True} if isinstance(reading.form, PicturePreprocess) else {})
        for reading in graph.readings
    ]


def _write_inputs(graph: Graph, stage: Path) -> None:
    """How the inputs are made of files, as JSON."""
    text = json.dumps(_inputs_of(graph), ensure_ascii=False, indent=2)
    (stage / "preprocess.json").write_text(utf8(text) + "\n", "utf-8")


def _feeds(task: Task, graph: Graph) -> Iterator[dict[str, Array]]:
    """The inputs of the rows, some at a time."""
    form = graph.readings[0].form
    if not isinstance(form, PicturePreprocess):
        yield from (feeds for _, feeds in batches(task, graph.readings))
        return
    for start in range(0, len(task), BATCH):
        some = list(task.inputs)[start : start + BATCH]
        decoded = [Source(item).decode(draft=True, window=form.window) for item in some]
        yield {graph.inputs[0]: form.collate([form.prepare(picture)[0] for picture in decoded])[0]}


def _converted(openvino: Any, graph: Graph, model: Model) -> Any:
    """OpenVINO's own model of the ONNX graph, with what is known of it as its rt_info."""
    data: bytes = onnx_of(graph, model, OPSET).SerializeToString()
    try:
        converted = openvino.Core().read_model(data, b"")
    except RuntimeError as error:
        raise ArtefactError(f"OpenVINO cannot convert this model: {str(error)[:300]}") from error
    known = metadata_of(graph, model, OPSET)
    known["headstart.inputs"] = utf8(json.dumps(_inputs_of(graph), ensure_ascii=False))
    for name, value in known.items():
        converted.set_rt_info(value, ["headstart", name.removeprefix("headstart.")])
    names = class_names(model) if model.kind.has_classes else ()
    converted.set_rt_info(utf8(json.dumps(names, ensure_ascii=False)), ["headstart", "classes"])
    converted.set_rt_info(" ".join("_".join(utf8(name).split()) or "_" for name in names), ["model_info", "labels"])
    return converted


def answers_of_ir(openvino: Any, folder: Path, graph: Graph, expected: Expected) -> tuple[Array, Array | None]:
    """Predictions and decisions of what OpenVINO reads from a folder, to the same rows."""
    compiled = openvino.Core().compile_model(str(folder / "model.xml"), "CPU", _EXACT)
    has_classes = "decision" in graph.outputs
    first = "probabilities" if has_classes else "values"
    predictions, decisions = [], []
    for feeds in _feeds(expected.task, graph):
        outputs = compiled(feeds)
        predictions.append(np.array(outputs[first]))
        decisions.append(np.array(outputs["decision"]) if has_classes else np.zeros(0))
    return np.concatenate(predictions), np.concatenate(decisions) if has_classes else None
