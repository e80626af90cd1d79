"""What an exported file gives its network, cut out of its graph, against what `predict` gives the same network.

Whole numbers of pixels are equal, and so is their hash; after them the graph multiplies and adds in two operators, and
torch may in one that rounds once: a unit in the last place of either. Encoded columns of a table are equal likewise.
"""

from __future__ import annotations

import hashlib

import numpy as np
import onnx
import pytest
import torch
from exported import labels, soft_pictures

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

from headstart.deployment.formats.export import export
from headstart.deployment.formats.parity import session_of
from headstart.listener import SILENT
from headstart.preprocessing.decode import decode_array
from headstart.transfer import Transfer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SIZES = [(160, 160), (1, 1), (33, 90), (500, 40), (301, 700), (20, 900)]


def given_to(proto, kind):
    """The names of what the first operator of a kind is given, and of the whole numbers that it was scaled from."""
    makers = {output: node for node in proto.graph.node for output in node.output}
    scaled = next(node for node in proto.graph.node if node.op_type == kind).input[0]
    whole = makers[makers[scaled].input[0]].input[0]
    assert [makers[name].op_type for name in (scaled, makers[scaled].input[0], whole)] == ["Add", "Mul", "Cast"]
    return scaled, whole


def cut(proto, *values):
    """The part of a graph that leads from pixels to these values."""
    part = onnx.utils.Extractor(proto).extract_model(["pixels"], list(values))
    return session_of(part.SerializeToString())


def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


@pytest.mark.parametrize("backbone", ["timm:test_resnet?weights=random", "small:conv4"])
def test_pictures_of_all_sizes_and_both_interpolations(tmp_path, backbone):
    pictures = soft_pictures(8)
    fitted = Transfer(backbone, "ridge", engine="torch", cache=False).fit(pictures, labels(8))
    form = fitted.model_.backbone.preprocess
    proto = onnx.load(export(fitted, tmp_path / "m.onnx", check_on=pictures, listener=SILENT).path)
    session = cut(proto, *given_to(proto, "Conv"))
    rng = np.random.default_rng(0)
    for size in SIZES:
        pixels = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
        prepared = form.collate([form.prepare(decode_array(pixels))[0]])[0]
        (expected,) = form.tensors(torch.from_numpy(prepared))
        scaled, whole = session.run(None, {"pixels": pixels[None]})
        assert digest(whole.transpose(0, 2, 3, 1).astype(np.uint8)) == digest(prepared), size
        assert np.array_equal(whole, np.round(whole))
        span = 1 / np.array(form.std)[:, None, None]
        assert (np.abs(scaled - expected.numpy()) / span).max() <= 1e-6, size
