"""ONNX files, against the same network in torch."""

import hashlib
import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper, save

from headstart.backbones.load import load, rebuild
from headstart.deployment.formats.graph import graph_of, run
from headstart.errors import BackboneError
from headstart.features.engines.engine import Unfit
from headstart.features.engines.openvino_engine import OpenVINOEngine
from headstart.transfer import Transfer

KERNEL = np.random.default_rng(0).normal(size=(6, 3, 3, 3)).astype(np.float32)


def write(path, *, rows="N", side=32, pool=True, channels=3):
    """A convolution, ReLU and, with `pool`, the mean over the map."""
    kernel = numpy_helper.from_array(KERNEL[:, :channels], "kernel")
    nodes = [helper.make_node("Conv", ["x", "kernel"], ["map"]), helper.make_node("Relu", ["map"], ["y"])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [rows, 6, side - 2, side - 2])]
    if pool:
        nodes += [helper.make_node("GlobalAveragePool", ["y"], ["p"]), helper.make_node("Flatten", ["p"], ["z"])]
        outputs = [helper.make_tensor_value_info("z", TensorProto.FLOAT, [rows, 6]), *outputs]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [rows, channels, side, side])]
    graph = helper.make_graph(nodes, "network", inputs, outputs, [kernel])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def expected(x):
    return F.relu(F.conv2d(x, torch.from_numpy(KERNEL))).mean((2, 3))


@pytest.mark.parametrize("options", [{}, {"rows": 1}, {"pool": False}])
def test_it_gives_what_the_same_network_gives_in_torch(tmp_path, options):
    backbone = load(f"onnx:{write(tmp_path / 'n.onnx', **options)}?preprocess=torch")
    x = torch.randn(3, 3, 32, 32)
    torch.testing.assert_close(backbone.module(x), expected(x), rtol=1e-5, atol=1e-5)
    assert (backbone.dim, backbone.preprocess.size, backbone.stages, backbone.random) == (6, (32, 32), (), None)
    assert backbone.preprocess.mean == (0.485, 0.456, 0.406)


def test_blue_green_and_red(tmp_path):
    backbone = load(f"file:{write(tmp_path / 'n.onnx')}?preprocess=caffe")
    x = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(backbone.module(x), expected(x.flip(1)), rtol=1e-5, atol=1e-5)


def test_an_output_may_be_named(tmp_path):
    file = write(tmp_path / "n.onnx")
    assert load(f"onnx:{file}?preprocess=tf&output=y").dim == 6
    with pytest.raises(BackboneError, match="no output 'w'; expected z, y"):
        load(f"onnx:{file}?preprocess=tf&output=w")


def test_it_is_built_again_from_its_one_tensor(tmp_path):
    file = write(tmp_path / "n.onnx")
    backbone = load(f"onnx:{file}?preprocess=unit")
    file.unlink()
    again = rebuild(backbone.spec, backbone.module.state_dict(), backbone.preprocess, backbone.name)
    assert again.fingerprint == backbone.fingerprint
    x = torch.rand(2, 3, 32, 32)
    assert torch.equal(again.module(x), backbone.module(x))


def test_texts(tmp_path, bert):
    rows = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["N", "L"])
    mask = helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["N", "L"])
    table = np.random.default_rng(0).normal(size=(15, 4)).astype(np.float32)
    node = helper.make_node("Gather", ["table", "input_ids"], ["hidden"])
    hidden = helper.make_tensor_value_info("hidden", TensorProto.FLOAT, ["N", "L", 4])
    graph = helper.make_graph([node], "words", [rows, mask], [hidden], [numpy_helper.from_array(table, "table")])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), bert / "n.onnx")
    backbone = load(f"onnx:{bert / 'n.onnx'}")
    prepared = [backbone.preprocess.prepare(text)[0] for text in ("the film", "a very dull story")]
    ids, real = map(torch.from_numpy, backbone.preprocess.collate(prepared))
    for row, tokens in zip(backbone.module(ids, real).numpy(), prepared, strict=True):
        np.testing.assert_allclose(row, table[tokens].mean(0), rtol=1e-5)


def test_openvino_does_not_trace_it(tmp_path):
    with pytest.raises(Unfit, match=r"run as it is, and not traced|cannot convert"):
        OpenVINOEngine(load(f"onnx:{write(tmp_path / 'n.onnx')}?preprocess=unit"), "float32", 1)


@pytest.mark.parametrize(
    ("options", "query", "words"),
    [
        ({}, "", r"does not say how its pixels are scaled.*\?preprocess=MODE"),
        ({"channels": 1}, "?preprocess=unit", r"takes x tensor\(float\).*expected pictures"),
    ],
)
def test_files_that_cannot_be_used(tmp_path, options, query, words):
    with pytest.raises(BackboneError, match=words):
        load(f"onnx:{write(tmp_path / 'n.onnx', **options)}{query}")


def test_half_a_file(tmp_path):
    file = write(tmp_path / "n.onnx")
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(BackboneError, match="not an ONNX file that onnxruntime can run"):
        load(f"onnx:{file}?preprocess=unit")


def test_it_serves_a_probe_and_is_saved_whole(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    name = f"onnx:{write(tmp_path / 'n.onnx')}?preprocess=unit"
    pictures = [np.full((32, 32, 3), 10 * row, np.uint8) for row in range(16)]
    model = Transfer(name, "probe").fit(pictures, ["dark"] * 8 + ["bright"] * 8)
    folder = model.save(tmp_path / "m")
    (tmp_path / "n.onnx").unlink()
    again = Transfer.load(folder)
    assert np.array_equal(again.predict_proba(pictures), model.predict_proba(pictures))
    assert (again.predict(pictures) == np.array(["dark"] * 8 + ["bright"] * 8)).mean() > 0.8


@pytest.mark.parametrize("method", ["top", "fine-tune", "gradual", "lora", "scratch"])
def test_nothing_of_it_can_be_tuned(tmp_path, monkeypatch, method):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    name = f"onnx:{write(tmp_path / 'n.onnx')}?preprocess=unit"
    pictures = [np.full((32, 32, 3), 10 * row, np.uint8) for row in range(16)]
    with pytest.raises(ValueError, match=rf"method '{method}' moves weights, and .* has none to move: use .probe."):
        Transfer(name, method).fit(pictures, ["dark"] * 8 + ["bright"] * 8)


def export_of(folder, kind="text", outputs=("probabilities", "features"), sha256=None):
    """A file with the metadata of an export: its outputs are the largest entries of a table over the tokens."""
    tokenizer = (folder / "tokenizer.json").read_bytes()
    (folder / "m.tokenizer.json").write_bytes(tokenizer)
    table = numpy_helper.from_array(np.random.default_rng(0).normal(size=(15, 4)).astype(np.float32), "table")
    ids, mask = (
        helper.make_tensor_value_info(name, TensorProto.INT64, ["N", "L"]) for name in ("input_ids", "attention_mask")
    )
    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["hidden"])]
    nodes += [helper.make_node("ReduceMax", ["hidden"], [name], axes=[1], keepdims=0) for name in outputs]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 4]) for name in outputs]
    graph = helper.make_graph(nodes, "export", [ids, mask], values, [table])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    form = {"kind": kind, "max_length": 6, "pad_id": 0, "file": "m.tokenizer.json"}
    form["sha256"] = hashlib.sha256(tokenizer).hexdigest() if sha256 is None else sha256
    helper.set_model_props(model, {"headstart.inputs": json.dumps([form])})
    save(model, folder / "m.onnx")
    return f"onnx:{folder / 'm.onnx'}"


def test_an_export_of_texts_is_a_backbone_with_its_own_tokenizer(bert):
    backbone = load(export_of(bert))
    assert (backbone.dim, backbone.preprocess.max_length, backbone.spec["output"]) == (4, 6, "features")
    assert load(f"{export_of(bert)}?output=probabilities").spec["output"] == "probabilities"


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"kind": "picture"}, r"prepares its own inputs \(kind 'picture'\).*file:MODEL"),
        ({"outputs": ("probabilities", "decision")}, r"averaged, which has no one row of features.*\?output=decision"),
        ({"sha256": "00"}, "is not the tokenizer that was exported with it"),
    ],
)
def test_other_exports_are_refused_in_words(bert, options, match):
    with pytest.raises(BackboneError, match=match):
        load(export_of(bert, **options))


def test_an_export_without_its_tokenizer_is_refused(bert):
    name = export_of(bert)
    (bert / "m.tokenizer.json").unlink()
    with pytest.raises(BackboneError, match=r"its tokenizer .* cannot be read"):
        load(name)


def test_the_whole_prediction_of_a_model_on_a_file_is_one_module(tmp_path):
    name = f"onnx:{write(tmp_path / 'n.onnx')}?preprocess=caffe"
    pictures = [np.full((32, 32, 3), 10 * row, np.uint8) for row in range(16)]
    model = Transfer(name, "ridge", cache=False).fit(pictures, ["dark"] * 8 + ["bright"] * 8)
    outputs = run(graph_of(model.model_), {"pixels": np.stack(pictures)})
    np.testing.assert_allclose(outputs["probabilities"], model.predict_proba(pictures), atol=1e-6)
