"""Whether square roots of features are tried is an option of every probe."""

import numpy as np
import pytest

from headstart.deployment.formats.linear_head import linear_head_of
from headstart.transfer import Transfer

pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")

LEVELS = np.linspace(0.2, 1, 24)
PICTURES = [np.full((8, 8, 3), round(255 * level), np.uint8) for level in LEVELS]


@pytest.fixture
def fourth_powers(tmp_path):
    """A network whose feature is the fourth power of the brightness."""
    helper, proto = onnx.helper, onnx.TensorProto
    axes = {"axes": [1, 2, 3], "keepdims": 0}
    nodes = [helper.make_node("ReduceMean", ["x"], ["mean"], **axes), helper.make_node("Pow", ["mean", "four"], ["p"])]
    nodes.append(helper.make_node("Unsqueeze", ["p", "last"], ["y"]))
    values = [
        helper.make_tensor_value_info(name, proto.FLOAT, shape)
        for name, shape in (("x", ["N", 3, 8, 8]), ("y", ["N", 1]))
    ]
    arrays = [onnx.numpy_helper.from_array(np.float32(4), "four"), onnx.numpy_helper.from_array(np.array([1]), "last")]
    graph = helper.make_graph(nodes, "power", values[:1], values[1:], arrays)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "n.onnx")
    return f"onnx:{tmp_path / 'n.onnx'}?preprocess=unit"


@pytest.mark.parametrize("method", ["ridge", "probe"])
def test_roots_are_taken_where_they_tell_more_and_only_where_they_may(fourth_powers, method):
    target = LEVELS**2  # a line on the square root of the feature
    taken = Transfer(fourth_powers, method, kind="regression", cache=False).fit(PICTURES, target)
    assert taken.model_.head.form == "root"
    options = {"root": "no"}
    plain = Transfer(fourth_powers, method, kind="regression", options=options, cache=False).fit(PICTURES, target)
    assert plain.model_.head.form == "plain"
    errors = [np.abs(model.predict(PICTURES) - target).max() for model in (taken, plain)]
    assert errors[0] < errors[1]


def test_the_refusal_of_a_linear_layer_names_the_option(fourth_powers):
    model = Transfer(fourth_powers, "ridge", kind="regression", cache=False).fit(PICTURES, LEVELS**2).model_
    with pytest.raises(ValueError, match=r"square roots of the features: fit with --method ridge --option root=no"):
        linear_head_of(model, "a folder")
    alone = {"root": "no"}
    model = Transfer(fourth_powers, "ridge", kind="regression", options=alone, cache=False).fit(PICTURES, LEVELS).model_
    assert linear_head_of(model, "a folder").weight.shape == (1, 1)
