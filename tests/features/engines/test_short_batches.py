"""One picture at a time, only where that gives the same bits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from small import bright

from headstart.features.engines.engine import Choice
from headstart.features.engines.openvino_engine import OpenVINOEngine
from headstart.features.engines.recorded import keep
from headstart.features.engines.short_batches import allow_single_pictures, same_bits
from headstart.features.engines.torch_engine import TorchEngine
from headstart.features.extract import extract
from headstart.features.extraction import Extraction
from headstart.features.quiet import quiet


def engine_for(backbone, name):
    with quiet():
        engine = (
            OpenVINOEngine(backbone, "float32", 1) if name == "openvino" else TorchEngine(backbone, "float32", "cpu")
        )
    keep(engine, Choice(name, "float32", "cpu", ""), backbone, 1)
    return engine


@pytest.mark.usefixtures("has_openvino")
def test_one_picture_is_taken_where_it_gives_the_same_bits(tiny):
    engine = engine_for(tiny, "openvino")
    assert engine.lengths == (engine.batch,)
    single = allow_single_pictures(tiny)
    assert engine.lengths == ((1, engine.batch) if single else (engine.batch,))
    pixels = np.random.default_rng(0).integers(0, 256, (engine.batch, *tiny.preprocess.size, 3), dtype=np.uint8)
    run = engine.lane()
    whole = run(pixels)
    if single:
        assert np.array_equal(run(pixels[-1:]), whole[-1:])


class Counted(torch.nn.Module):
    """A network whose numbers hang on how many pictures there are."""

    def forward(self, pixels):
        return pixels.mean((2, 3)) + len(pixels)


class WholeBatches(torch.nn.Module):
    """A network that takes four pictures and no other number."""

    def forward(self, pixels):
        return pixels.reshape(4, 3, -1).mean(2)


@pytest.mark.parametrize("module", [Counted(), WholeBatches()])
def test_a_network_whose_numbers_hang_on_the_batch_gets_whole_batches_only(tiny, module):
    backbone = replace(tiny, module=module, dim=3)
    engine = engine_for(backbone, "torch")
    assert not same_bits(engine, backbone)
    assert not allow_single_pictures(backbone)
    assert engine.lengths == (engine.batch,)


def test_one_picture_is_one_row_of_the_network(tiny):
    engine = engine_for(tiny, "torch")
    engine.lengths = (1, engine.batch)
    shapes = []
    run = engine._run
    engine._run = lambda *inputs: shapes.append(len(inputs[0])) or run(*inputs)
    extraction = Extraction(engine="torch", precision="float32", device="cpu", lanes=1)
    pictures = [bright(row) for row in range(5)]
    singly = [extract([picture], tiny, extraction).values for picture in pictures]
    assert shapes == [1] * 5
    together = extract(pictures + pictures[:2], tiny, extraction).values[:5]
    assert shapes[5:] == [4, 1, 1, 1]
    assert np.allclose(np.concatenate(singly), together, rtol=0, atol=1e-5)


def test_what_was_never_run_and_what_is_no_picture_is_left_as_it_is(tiny, words):
    assert not allow_single_pictures(tiny)
    engine_for(words, "torch")
    assert not allow_single_pictures(words)
