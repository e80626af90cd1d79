"""Readers of ONNX and CTranslate2 files: what they read, and what they refuse."""

import struct

import numpy as np
import pytest
import torch

from headstart.backbones.sound.ctranslate2 import ctranslate2_tensors
from headstart.backbones.sound.onnx_tensors import onnx_tensors
from headstart.errors import BackboneError

RNG = np.random.default_rng(0)


def varint(value):
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def onnx_file(tensors, packed=False):
    """As the format says, written by hand: of a model also its producer and of a graph its name, which are skipped."""
    graph = field(2, b"graph") + varint(3 << 3 | 5) + b"\0\0\0\0"
    for name, array in tensors.items():
        dims = field(1, b"".join(map(varint, array.shape))) if packed else b"".join(field(1, d) for d in array.shape)
        kind = {"float32": 1, "int64": 7}[str(array.dtype)]
        graph += field(5, dims + field(2, kind) + field(8, name.encode()) + field(9, array.tobytes()))
    return field(1, 8) + field(2, b"producer") + field(7, graph) + varint(9 << 3 | 1) + b"\0" * 8


@pytest.mark.parametrize("packed", [False, True])
def test_onnx_weights_come_back(packed):
    a, b = RNG.normal(size=(3, 200)).astype("f4"), RNG.normal(size=(2, 1, 2)).astype("f4")
    found = onnx_tensors(onnx_file({"a": a, "b": b, "shape": np.array([1, 2])}, packed), "x.onnx")
    assert list(found) == ["a", "b"]
    np.testing.assert_array_equal(found["a"].numpy(), a)
    np.testing.assert_array_equal(found["b"].numpy(), b)


def test_onnx_as_the_library_writes_it():
    onnx = pytest.importorskip("onnx")
    array = RNG.normal(size=(4, 5)).astype("f4")
    graph = onnx.helper.make_graph([], "g", [], [], [onnx.numpy_helper.from_array(array, "w")])
    data = onnx.helper.make_model(graph).SerializeToString()
    np.testing.assert_array_equal(onnx_tensors(data, "x.onnx")["w"].numpy(), array)


def test_onnx_that_is_cut_short_at_any_byte():
    data = onnx_file({"a": RNG.normal(size=(3, 4)).astype("f4")})
    whole = len(data) - 9 - len(varint(9 << 3 | 1)) + 1  # what is behind the graph is of no interest
    for size in range(whole - 1):
        with pytest.raises(BackboneError, match=r"x\.onnx: not a readable ONNX file"):
            onnx_tensors(data[:size], "x.onnx")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it holds no graph"),
        (field(7, field(5, field(1, 3) + field(2, 1) + field(8, b"w") + field(9, b"\0" * 8))), "has 8 bytes"),
        (varint(7 << 3 | 3), "field of type 3"),
        (field(7, 5), "a number stands where a message"),
        (b"\xff" * 12, "more than ten bytes"),
    ],
)
def test_onnx_that_is_none(data, why):
    with pytest.raises(BackboneError, match=why):
        onnx_tensors(data, "x.onnx")


def string(text):
    return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"


def ct2_file(tensors, aliases=(), kind="WhisperSpec", version=6, dtypes=None):
    codes = {"float32": 0, "int8": 1, "int16": 2, "int32": 3, "float16": 4}
    out = struct.pack("<I", version) + string(kind) + struct.pack("<II", 3, len(tensors))
    for name, array in tensors.items():
        code = (dtypes or {}).get(name, codes[str(array.dtype)])
        out += string(name) + struct.pack("<B", array.ndim) + struct.pack(f"<{array.ndim}I", *array.shape)
        out += struct.pack("<BI", code, array.nbytes) + array.tobytes()
    out += struct.pack("<I", len(aliases))
    return out + b"".join(string(alias) + string(target) for alias, target in aliases)


TENSORS = {
    "half": RNG.normal(size=(3, 4)).astype("f2"),
    "whole": RNG.normal(size=5).astype("f4"),
    "byte": np.arange(-2, 3, dtype="i1"),
    "one": np.array(7, "i2"),
}


def test_ctranslate2_tensors_come_back():
    found = ctranslate2_tensors(ct2_file(TENSORS, [("again", "half")]), "WhisperSpec", "model.bin")
    assert list(found) == [*TENSORS, "again"]
    assert found["again"] is found["half"]
    for name, array in TENSORS.items():
        assert found[name].dtype == torch.from_numpy(np.atleast_1d(array)).dtype
        np.testing.assert_array_equal(found[name].numpy(), array)


def test_ctranslate2_that_is_cut_short_at_any_byte():
    data = ct2_file(TENSORS, [("again", "half")])
    for size in range(len(data)):
        with pytest.raises(BackboneError, match=r"model\.bin: not a readable CTranslate2 file"):
            ctranslate2_tensors(data[:size], "WhisperSpec", "model.bin")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (ct2_file(TENSORS, version=5), "version 5, expected 6"),
        (ct2_file(TENSORS, kind="TransformerSpec"), "it holds 'TransformerSpec', expected 'WhisperSpec'"),
        (ct2_file(TENSORS, dtypes={"half": 9}), "'half' is of type 9, expected one of 0, 1, 2, 3, 4"),
        (ct2_file(TENSORS, dtypes={"half": 0}), r"'half' of shape \[3, 4\] has 24 bytes, expected 48"),
        (ct2_file(TENSORS, [("again", "gone")]), "'again' stands for 'gone', which it does not hold"),
        (ct2_file(TENSORS) + b"\0", "1 bytes stand behind its end"),
        (ct2_file({"x": np.zeros([1] * 9, "f4")}), "'x' has 9 dimensions"),
        (ct2_file(TENSORS).replace(b"half\0", b"half!"), "has no end"),
    ],
)
def test_ctranslate2_that_is_none(data, why):
    with pytest.raises(BackboneError, match=why):
        ctranslate2_tensors(data, "WhisperSpec", "model.bin")
