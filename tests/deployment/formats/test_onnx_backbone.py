"""A backbone that is an ONNX file as a part of an exported graph, against onnxruntime on the file itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from headstart.backbones.onnx import build
from headstart.deployment.formats.graph import Graph
from headstart.deployment.formats.onnx_backbone import OnnxFile
from headstart.deployment.formats.onnx_graph import converted
from headstart.deployment.formats.parity import session_of
from headstart.errors import ArtefactError

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

KERNEL = np.random.default_rng(0).normal(size=(6, 3, 3, 3)).astype(np.float32)
TABLE = np.random.default_rng(1).normal(size=(15, 4)).astype(np.float32)


def picture_file(*, rows="N", opset=17, double=False, squeeze=False):
    """A convolution and ReLU; what is squeezed has its axes as an attribute, as operators before 13 have them."""
    nodes = [helper.make_node("Conv", ["x", "kernel"], ["map"]), helper.make_node("Relu", ["map"], ["y"])]
    if squeeze:
        nodes += [
            helper.make_node("Unsqueeze", ["y"], ["y5"], axes=[0]),
            helper.make_node("Squeeze", ["y5"], ["z"], axes=[0]),
        ]
    if double:
        nodes.append(helper.make_node("Cast", ["y"], ["z"], to=TensorProto.DOUBLE))
    out = "z" if double or squeeze else "y"
    kind = TensorProto.DOUBLE if double else TensorProto.FLOAT
    outputs = [helper.make_tensor_value_info(out, kind, [rows, 6, 10, 10])]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [rows, 3, 12, 12])]
    graph = helper.make_graph(nodes, "network", inputs, outputs, [numpy_helper.from_array(KERNEL, "kernel")])
    return model_of(graph, opset), ["x"], out


def text_file():
    """A row of a table for each token, and what kind of token it is."""
    names = ["input_ids", "attention_mask", "token_type_ids"]
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["N", "L"]) for name in names]
    nodes = [
        helper.make_node("Add", ["input_ids", "token_type_ids"], ["at"]),
        helper.make_node("Gather", ["table", "at"], ["hidden"]),
        helper.make_node("ReduceMax", ["hidden", "axis"], ["unread"], keepdims=0),
    ]
    outputs = [helper.make_tensor_value_info("hidden", TensorProto.FLOAT, ["N", "L", 4])]
    arrays = [numpy_helper.from_array(TABLE, "table"), numpy_helper.from_array(np.array([1]), "axis")]
    return model_of(helper.make_graph(nodes, "words", inputs, outputs, arrays), 18), names, "hidden"


def model_of(graph, opset):
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def module_of(file, example, **options):
    """The backbone of a file, as `reading` makes it a part of a graph."""
    model, inputs, output = file
    data = model.SerializeToString()
    flags = {"single": False, "channels_last": False, "flip": False} | options
    network = build({"bytes": len(data), "inputs": inputs, "output": output, **flags})
    network.load_state_dict({"file": torch.frombuffer(bytearray(data), dtype=torch.uint8)})
    return OnnxFile(network, example).eval()


def written(module, example, axes, opset=18):
    names = tuple("abc"[: len(example)])
    graph = Graph(module, (), names, example, axes, ("features",))
    return converted(graph, opset)


def features(proto, *inputs):
    """What the graph answers, through onnxruntime."""
    session = session_of(proto.SerializeToString())
    return session.run(None, {port.name: x.numpy() for port, x in zip(session.get_inputs(), inputs, strict=True)})[0]


EXAMPLE = torch.linspace(-1, 1, 2 * 3 * 12 * 12).reshape(2, 3, 12, 12)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "options"),
    [
        ({}, {}),
        ({"rows": 1}, {"single": True}),
        ({"double": True}, {"flip": True}),
        ({"opset": 11, "squeeze": True}, {}),
    ],
    ids=["any rows", "one row at a time", "BGR and double", "opset 11"],
)
def test_pictures(file, options):
    module = module_of(picture_file(**file), (EXAMPLE,), **options)
    proto = written(module, (EXAMPLE,), ({0: "rows"},))
    x = torch.randn(5, 3, 12, 12)
    np.testing.assert_allclose(features(proto, x), module(x).numpy(), rtol=1e-5, atol=1e-6)
    assert {part.domain for part in proto.opset_import} <= {
        "",
        "pkg.onnxscript.torch_lib",
        "pkg.onnxscript.torch_lib.common",
    }


@pytest.mark.slow
def test_texts_of_any_length_and_nothing_that_is_not_read():
    example = (torch.ones(2, 8, dtype=torch.int64), torch.ones(2, 8, dtype=torch.int64))
    module = module_of(text_file(), example)
    proto = written(module, example, ({0: "rows", 1: "tokens"},) * 2)
    ids, mask = torch.randint(0, 15, (3, 5)), torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 0, 0, 0, 0]])
    expected = np.stack([TABLE[row[: real.sum()]].mean(0) for row, real in zip(ids.numpy(), mask.numpy(), strict=True)])
    np.testing.assert_allclose(features(proto, ids, mask), expected, rtol=1e-5, atol=1e-6)
    assert not [node for node in proto.graph.node if node.output[0].endswith("unread")]


@pytest.mark.slow
def test_a_file_of_newer_operators_than_the_export_is_refused():
    from onnx import helper

    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, 12, 12])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3, 12, 12])
    graph = helper.make_graph([helper.make_node("Gelu", ["x"], ["y"])], "network", [x], [y])
    module = module_of((model_of(graph, 20), ["x"], "y"), (EXAMPLE,))
    with pytest.raises(ArtefactError, match=r"ONNX file of opset 20, which cannot be written in opset 18.*--opset"):
        written(module, (EXAMPLE,), ({0: "rows"},))
    proto = written(module, (EXAMPLE,), ({0: "rows"},), opset=20)
    np.testing.assert_allclose(features(proto, EXAMPLE), module(EXAMPLE).numpy(), rtol=1e-5, atol=1e-6)


def test_outside_of_a_graph_it_answers_as_the_file():
    module = module_of(picture_file(), (EXAMPLE,))
    map = torch.nn.functional.conv2d(EXAMPLE, torch.from_numpy(KERNEL)).relu()
    torch.testing.assert_close(module(EXAMPLE), map.mean((2, 3)), rtol=1e-5, atol=1e-6)
    assert module.tail == [6, 10, 10]
