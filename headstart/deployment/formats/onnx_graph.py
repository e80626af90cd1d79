"""From the module of a prediction to an ONNX model: its operators, and what is known of it as metadata."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import torch

from headstart.artefact.model import Model
from headstart.data.installed import installed_version
from headstart.deployment.formats.cells import in_front
from headstart.deployment.formats.class_names import utf8
from headstart.deployment.formats.graph import Graph
from headstart.deployment.formats.onnx_backbone import with_files
from headstart.deployment.formats.operators import translations
from headstart.errors import ArtefactError
from headstart.evidence.evidence import Evidence
from headstart.heads.arrays import UTILITY
from headstart.preprocessing.table_encoder import TableEncoder

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["LEAST", "MOST", "OPSET", "checked_opset", "converted", "metadata_of", "onnx_of", "runnable"]

LEAST, OPSET, MOST = 18, 18, 23
"""Of the ONNX operators: the least that have all that is needed, those that are written, and the newest."""
_PREFIX = "headstart."
_OF_TORCH = ("_check_is_size will be removed", r"The tensor attributes self\..*\._flat_weights")
"""What torch's exporter says of torch's own recurrent layers, which nobody else can change."""


def runnable() -> None:
    """Raises ImportError that names the extra where onnx, onnxscript or onnxruntime is missing."""
    try:
        import onnx
        import onnxruntime
        import onnxscript
    except ImportError as error:
        raise ImportError(f"exporting to ONNX needs {error.name}: pip install 'headstart[onnx]'") from error
    del onnx, onnxruntime, onnxscript


def checked_opset(opset: int | None) -> int:
    """The version of the operators. ValueError for one that cannot be written."""
    if opset is None:
        return OPSET
    if type(opset) is not int or opset < LEAST:
        raise ValueError(f"opset = {opset!r} is too old: the least that has the operators of a whole model is {LEAST}")
    if opset > MOST:
        raise ValueError(f"opset = {opset} is too new: expected {LEAST} to {MOST}")
    return opset


def onnx_of(graph: Graph, model: Model, opset: int) -> ModelProto:
    """The model in ONNX, with its metadata. `ArtefactError` where there is no operator for a part of it."""
    proto = converted(graph, opset)
    for reading in graph.readings:
        if isinstance(reading.form, TableEncoder) and any(
            value.name == reading.inputs[0] for value in proto.graph.input
        ):
            proto = in_front(proto, reading.form, reading.columns, reading.inputs[0])
    from onnx import helper

    helper.set_model_props(proto, metadata_of(graph, model, opset))
    proto.producer_name, proto.producer_version = "headstart", installed_version("headstart")
    return proto


def converted(graph: Graph, opset: int) -> ModelProto:
    """The operators alone, without what stands in front of them and without metadata."""
    free = torch.export.Dim.DYNAMIC
    shapes = tuple(dict.fromkeys(axes, free) for axes in graph.axes)
    try:
        with torch.inference_mode(), warnings.catch_warnings():
            for message in _OF_TORCH:
                warnings.filterwarnings("ignore", message=message)
            program = torch.onnx.export(
                graph.module,
                graph.example,
                dynamo=True,
                input_names=list(graph.inputs),
                output_names=list(graph.outputs),
                dynamic_shapes=(shapes,),
                opset_version=opset,
                custom_translation_table=translations(),
                verbose=False,
            )
    except Exception as error:  # torch's exporter raises what it likes
        raise ArtefactError(f"this model cannot be written as ONNX: {_cause(error)}") from error
    if program is None:
        raise ArtefactError("this model cannot be written as ONNX: torch's exporter gave none")
    proto = with_files(program.model_proto, graph.module)
    written = next((part.version for part in proto.opset_import if not part.domain), None)
    if written != opset:
        raise ArtefactError(f"the model could be written in opset {written} and not in opset {opset}: leave it out")
    return proto


def _cause(error: BaseException) -> str:
    """The first lines of what stands at the bottom."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip(" -") for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {' '.join(lines[:2])[:400]}" if lines else type(error).__name__


def metadata_of(graph: Graph, model: Model, opset: int) -> dict[str, str]:
    """What is known of the model, each entry JSON or words."""
    utility = model.head.arrays.get(UTILITY)
    told: dict[str, Any] = {
        "version": installed_version("headstart"),
        "opset": opset,
        "modality": str(model.modality),
        "kind": str(model.kind),
        "method": model.method,
        "backbone": None if model.backbone is None else model.backbone.name,
        "classes": list(model.classes),
        "decision": _rule(model),
        "utility": None if utility is None else utility.tolist(),
        "temperature": model.head.temperature,
        "inputs": [reading.to_json() for reading in graph.readings],
        "evidence": _headline(model),
    }
    return {_PREFIX + name: utf8(json.dumps(value, ensure_ascii=False)) for name, value in told.items()}


def _rule(model: Model) -> str:
    if not model.kind.has_classes:
        return "the value"
    if model.kind.several:
        return "the labels of probability .5 or more"
    return "the class of the highest expected utility" if UTILITY in model.head.arrays else "the likeliest class"


def _headline(model: Model) -> str | None:
    """The score by which the model was judged, with its interval; None where nothing was held out."""
    if model.evidence is None:
        return None
    evidence = Evidence.from_json(model.evidence)
    metric = evidence.kind.headline if evidence.goal is None else evidence.goal.metric
    score = evidence.metrics[metric]
    return f"{metric} {score.value:.4g} [{score.low:.4g}, {score.high:.4g}] on {evidence.n_test} rows held out"
