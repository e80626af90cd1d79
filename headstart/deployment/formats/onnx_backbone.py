"""A backbone that is an ONNX file as a part of an exported graph.

torch's exporter writes one node for it, `headstart::OnnxFile`. `with_files` puts the nodes of the file in its place, in
the version of the operators that the export has; a file that takes one row at a time becomes the body of a Scan.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from headstart.backbones.onnx import Onnx
from headstart.errors import ArtefactError

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

__all__ = ["OnnxFile", "with_files"]

_DOMAIN, _OPERATOR, _KEY = "headstart", "OnnxFile", "key"


class OnnxFile(nn.Module):
    """As `Onnx`; where a graph is made, one node.

    example   inputs of two rows, from which the shape of the file's output is read
    """

    def __init__(self, network: Onnx, example: tuple[Tensor, ...]) -> None:
        super().__init__()
        self.network = network
        digest = hashlib.sha256(network.file.numpy().tobytes()).hexdigest()
        self.key = f"{digest}/{network.output}"
        self.tail: list[int] = list(network.rows(*network.given(*example)).shape[1:])

    def forward(self, *inputs: Tensor) -> Tensor:
        if not torch.compiler.is_exporting():
            features: Tensor = self.network(*inputs)
            return features
        given = self.network.given(*inputs)
        of_tokens = len(inputs) > 1 and len(self.tail) == 2
        tail = [inputs[0].shape[1], self.tail[1]] if of_tokens else self.tail
        rows = torch.onnx.ops.symbolic(
            f"{_DOMAIN}::{_OPERATOR}",
            given,
            {_KEY: self.key},
            dtype=torch.float32,
            shape=[inputs[0].shape[0], *tail],
            version=1,
        )
        return self.network.pooled(rows, *inputs)


def with_files(proto: ModelProto, module: nn.Module) -> ModelProto:
    """The model, with the nodes of their files in place of the nodes that `OnnxFile` wrote.

    Raises `ArtefactError` where a file has operators that this version of ONNX lacks.
    """
    files = {part.key: part.network for part in module.modules() if isinstance(part, OnnxFile)}
    for number, node in enumerate([node for node in proto.graph.node if node.domain == _DOMAIN]):
        network = files[next(attribute.s for attribute in node.attribute if attribute.name == _KEY).decode()]
        part = _part(network, _version(proto), f"file{number}/" if number else "file/")
        place = list(proto.graph.node).index(node)
        proto.graph.node.remove(node)
        nodes = list(_of_one_row(part, node) if network.single else _of_all_rows(part, node, proto.graph))
        for offset, new in enumerate(nodes):
            proto.graph.node.insert(place + offset, new)
        _import(proto, part)
    for domain in [part for part in proto.opset_import if part.domain == _DOMAIN]:
        proto.opset_import.remove(domain)
    return proto


def _version(proto: ModelProto) -> int:
    versions: list[int] = [part.version for part in proto.opset_import if not part.domain]
    return max(versions)


def _part(network: Onnx, version: int, prefix: str) -> ModelProto:
    """What of a file leads to the output that is read, in a version of the operators, each name with the prefix."""
    import onnx
    from onnx import compose, utils, version_converter

    whole = onnx.load_from_string(network.file.numpy().tobytes())
    own = _version(whole)
    if own != version:
        try:
            whole = version_converter.convert_version(whole, version)
        except Exception as error:  # onnx raises what its C++ gives
            why = str(error).strip().splitlines()[-1][:200]
            raise ArtefactError(
                f"the backbone is an ONNX file of opset {own}, which cannot be written in opset {version} ({why}): "
                "ask for another (--opset), or export to MLflow (--mlflow)"
            ) from error
    part = utils.Extractor(whole).extract_model(list(network.inputs), [network.output])
    made: ModelProto = compose.add_prefix(part, prefix)
    return made


def _of_all_rows(part: ModelProto, node: NodeProto, graph: GraphProto) -> Iterator[NodeProto]:
    """The nodes of a file between the values of one node; its weights go to the graph."""
    graph.initializer.extend(part.graph.initializer)
    graph.sparse_initializer.extend(part.graph.sparse_initializer)
    for value, name in zip(part.graph.input, node.input, strict=True):
        yield _node("Identity", [name], value.name)
    yield from part.graph.node
    yield _cast(part.graph.output[0].name, node.output[0])


def _of_one_row(part: ModelProto, node: NodeProto) -> Iterator[NodeProto]:
    """A Scan over the rows, each of which goes through the file alone: (1, ...) in, (1, ...) out."""
    from onnx import TensorProto, helper, numpy_helper

    prefix = part.graph.output[0].name
    axis = f"{prefix}/axis"
    body = helper.make_graph([], "row", [], [helper.make_empty_tensor_value_info(f"{prefix}/row")])
    body.initializer.append(numpy_helper.from_array(torch.zeros(1, dtype=torch.int64).numpy(), axis))
    body.initializer.extend(part.graph.initializer)
    body.sparse_initializer.extend(part.graph.sparse_initializer)
    for value in part.graph.input:
        shape = value.type.tensor_type.shape.dim[1:]
        row = helper.make_tensor_value_info(f"{value.name}/row", value.type.tensor_type.elem_type, None)
        row.type.tensor_type.shape.dim.extend(shape)
        body.input.append(row)
        body.node.append(_node("Unsqueeze", [row.name, axis], value.name))
    body.node.extend(part.graph.node)
    body.node.append(_cast(part.graph.output[0].name, f"{prefix}/whole"))
    body.node.append(_node("Squeeze", [f"{prefix}/whole", axis], f"{prefix}/row"))
    body.output[0].type.tensor_type.elem_type = TensorProto.FLOAT
    yield _node("Scan", list(node.input), node.output[0], body=body, num_scan_inputs=len(node.input))


def _cast(name: str, out: str) -> NodeProto:
    from onnx import TensorProto

    return _node("Cast", [name], out, to=TensorProto.FLOAT)


def _node(kind: str, inputs: list[str], out: str, **attributes: Any) -> NodeProto:
    from onnx import helper

    return helper.make_node(kind, inputs, [out], name=f"{out}/{kind}", **attributes)


def _import(proto: ModelProto, part: ModelProto) -> None:
    """The versions of further operators, and the functions, that a file brings. `ArtefactError` where two differ."""
    there = {each.domain: each.version for each in proto.opset_import}
    for each in part.opset_import:
        if there.setdefault(each.domain, each.version) != each.version:
            raise ArtefactError(f"two ONNX files of this model have other versions of the operators {each.domain!r}")
    known = {each.domain for each in proto.opset_import}
    proto.opset_import.extend(each for each in part.opset_import if each.domain not in known)
    proto.functions.extend(part.functions)
