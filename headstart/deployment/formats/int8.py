"""The network of an exported model in whole numbers of 8 bits: a declared mode; its cost is measured on labelled rows.

    w ~ s q, q in -127 ... 127, s of each output channel        y ~ (s_x q_x) (s q)

Layers of matrices (texts, tables, sound) read their inputs' range anew in each batch (dynamic), convolutions know it
from calibration rows (static); tables of embeddings are kept row by row. What prepares inputs, the head and the
decision stay as they are. (Jacob et al., 2018; Krishnamoorthi, 2018.)
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from headstart.deployment.formats.feeds import batches
from headstart.deployment.formats.formats import Options
from headstart.deployment.formats.graph import Graph
from headstart.deployment.formats.parity import answered_by, as_answers, session_of
from headstart.deployment.formats.sample import Sample, exact_features, labelled_rows
from headstart.errors import ArtefactError
from headstart.evidence.assess import assess
from headstart.evidence.held_out import HeldOut
from headstart.tasks.goal import Goal
from headstart.transfer import Transfer

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["InInt8", "in_int8"]

_CALIBRATION = 64
_FEWEST = 1 << 10
"""Weights of a layer that is worth it."""
_FLOAT = "float"


class InInt8(NamedTuple):
    """model   the bytes of the file
    notes   what it cost, in words
    facts   the same as JSON
    """

    model: bytes
    notes: tuple[str, ...]
    facts: dict[str, Any]


def in_int8(model: bytes, graph: Graph, fitted: Transfer, options: Options) -> InInt8:
    """The model in 8 bits, and what that costs. DataError without labelled rows, `ArtefactError` where there is no
    layer that would be smaller."""
    rows = labelled_rows(fitted, options.check_on)
    options.listener.say("converting the network to 8 bits")
    smaller = _quantized(model, graph, rows)
    return _measured(model, smaller, graph, fitted, rows)


def _quantized(model: bytes, graph: Graph, rows: Sample) -> bytes:
    import onnx
    from onnxruntime import quantization

    proto = onnx.load_from_string(model)
    layers = _layers(proto)
    tables = _embeddings(proto)
    if not layers and not tables:
        raise ArtefactError("there is no layer of this model that 8 bits would make smaller: leave int8 out")
    for node in tables:
        _in_rows(proto, node)
    convolves = any(node.op_type == "Conv" for node in layers)
    with tempfile.TemporaryDirectory() as folder, _without_advice():
        before, after = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
        onnx.save(proto, before)
        how: dict[str, Any] = {
            "nodes_to_quantize": [node.name for node in layers],
            "per_channel": True,
            "weight_type": quantization.QuantType.QInt8,
        }
        if not layers:
            return before.read_bytes()
        if convolves:
            how |= {"activation_type": quantization.QuantType.QUInt8, "quant_format": quantization.QuantFormat.QDQ}
            quantization.quantize_static(before, after, _Rows(graph, rows), **how)
        else:
            quantization.quantize_dynamic(before, after, **how)
        return after.read_bytes()


@contextmanager
def _without_advice() -> Iterator[None]:
    """Without the quantizer's advice, on the root logger, to run its pre-processing first: that infers shapes and folds
    constants, which torch's exporter has done, and its fusions would be compared with nothing."""
    root = logging.getLogger()

    def other(record: logging.LogRecord) -> bool:
        return "pre-processing" not in record.getMessage()

    root.addFilter(other)
    try:
        yield
    finally:
        root.removeFilter(other)


class _Rows:
    """Calibration rows as the quantizer asks for them."""

    def __init__(self, graph: Graph, rows: Sample) -> None:
        every = batches(rows.task, graph.readings)
        self._feeds: Iterator[Any] = (feeds for _, feeds in islice(every, _CALIBRATION))

    def get_next(self) -> Any:
        return next(self._feeds, None)


def _layers(proto: ModelProto) -> list[Any]:
    """The nodes that multiply by many weights in float32."""
    sizes = _weights(proto)
    kinds = ("Conv", "MatMul", "Gemm")
    return [
        node
        for node in proto.graph.node
        if node.op_type in kinds and any(sizes.get(name, 0) >= _FEWEST for name in node.input[1:2])
    ]


def _embeddings(proto: ModelProto) -> list[Any]:
    """The nodes that look rows up in tables of many weights."""
    sizes = _weights(proto)
    return [node for node in proto.graph.node if node.op_type == "Gather" and sizes.get(node.input[0], 0) >= _FEWEST]


def _weights(proto: ModelProto) -> dict[str, int]:
    """By name, how many numbers of float32 an array of at least two axes holds."""
    from onnx import TensorProto

    arrays = [array for array in proto.graph.initializer if array.data_type == TensorProto.FLOAT]
    return {array.name: int(np.prod(array.dims)) for array in arrays if len(array.dims) > 1}


def _in_rows(proto: ModelProto, node: Any) -> None:
    """A table of embeddings as whole numbers with a scale a row: rows are made float32 once they were looked up."""
    from onnx import TensorProto, helper, numpy_helper

    table = next(array for array in proto.graph.initializer if array.name == node.input[0])
    axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 0)
    values = numpy_helper.to_array(table)
    if axis != 0 or values.ndim != 2:
        return
    scale = np.abs(values).max(1, keepdims=True) / 127
    scale[scale == 0] = 1
    names = [f"{node.output[0]}/{part}" for part in ("int8", "scale", "whole", "rows", "of rows")]
    whole = np.round(values / scale).astype(np.int8)
    proto.graph.initializer.extend(
        numpy_helper.from_array(array, name) for array, name in ((whole, names[0]), (scale, names[1]))
    )
    if sum(table.name in other.input for other in proto.graph.node) == 1:
        proto.graph.initializer.remove(table)
    place, (ids, out) = list(proto.graph.node).index(node), (node.input[1], node.output[0])
    proto.graph.node.remove(node)
    made = [
        helper.make_node("Gather", [names[0], ids], [names[2]], axis=0, name=names[2]),
        helper.make_node("Cast", [names[2]], [names[3]], to=TensorProto.FLOAT, name=names[3]),
        helper.make_node("Gather", [names[1], ids], [names[4]], axis=0, name=names[4]),
        helper.make_node("Mul", [names[3], names[4]], [out], name=out),
    ]
    for offset, new in enumerate(made):
        proto.graph.node.insert(place + offset, new)


def _measured(before: bytes, after: bytes, graph: Graph, fitted: Transfer, rows: Sample) -> InInt8:
    """What both say of the same labelled rows, and the paired difference in the score of the evidence."""
    seen = exact_features(fitted, rows.task)
    outputs = {
        name: answered_by(session_of(data), graph, seen.task) for name, data in ((_FLOAT, before), ("int8", after))
    }
    answers = {name: as_answers(fitted, *both) for name, both in outputs.items()}
    goal = Goal.from_json(fitted.model_.options.get("goal"))
    held_out = HeldOut.of(seen.task)._replace(group=seen.blocks, goal=goal)
    assessment = assess(held_out, answers["int8"], {_FLOAT: answers[_FLOAT]})
    gain = assessment.gains[_FLOAT]
    largest = float(np.abs(outputs["int8"][0] - outputs[_FLOAT][0]).max())
    same = float(np.mean(np.all(np.reshape(outputs["int8"][1] == outputs[_FLOAT][1], (len(seen), -1)), axis=1)))
    score, was = assessment.metrics[gain.metric], assessment.baselines[_FLOAT][gain.metric]
    notes = (
        f"int8: {len(before) / 1e6:.1f} MB -> {len(after) / 1e6:.1f} MB",
        f"int8: {gain.metric} {was.value:.4g} -> {score.value:.4g}, better by {gain.value:+.4g} "
        f"[{gain.low:+.4g}, {gain.high:+.4g}] on {len(seen):,} {rows.origin}",
        f"int8: the largest difference of an answer is {largest:.2g}"
        + (f", the same decision for {same:.1%}" if fitted.model_.kind.has_classes else ""),
    )
    figures = {"metric": gain.metric, "float": was._asdict(), "int8": score._asdict(), "gain": gain.interval._asdict()}
    facts = {"bytes": len(after), "bytes_float": len(before), "int8": figures | {"largest": largest, "same": same}}
    return InInt8(after, notes, facts)
