import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from headstart.features.engines import openvino_engine
from headstart.features.engines.engine import Unfit
from headstart.features.engines.openvino_engine import OpenVINOEngine, import_openvino
from headstart.features.engines.torch_engine import TorchEngine
from headstart.features.quiet import quiet


def built(backbone, lanes=1):
    with quiet():
        return OpenVINOEngine(backbone, "float32", lanes)


def pixels_like(backbone, count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, *backbone.preprocess.size, 3), dtype=np.uint8)


@pytest.mark.usefixtures("has_openvino")
def test_pictures_equal_torch(tiny):
    engine = built(tiny, lanes=2)
    pixels = pixels_like(tiny, engine.batch)
    found = engine.lane()(pixels)
    assert found.dtype == np.float32
    assert np.allclose(found, TorchEngine(tiny, "float32", "cpu").lane()(pixels), rtol=0, atol=1e-5)


@pytest.mark.usefixtures("has_openvino")
def test_texts_of_any_length_equal_torch(words):
    run, reference = built(words, lanes=1).lane(), TorchEngine(words, "float32", "cpu").lane()
    for count, length in ((1, 1), (3, 8), (5, 4)):
        ids = np.random.default_rng(length).integers(0, 18, (count, length))
        mask = (np.arange(length) < 1 + np.arange(count)[:, None]).astype(np.int64)
        assert np.allclose(run(ids, mask), reference(ids, mask), rtol=0, atol=1e-5)


@pytest.mark.usefixtures("has_openvino")
def test_a_row_does_not_depend_on_its_place_its_neighbours_or_its_lane(tiny):
    engine = built(tiny, lanes=2)
    pixels, others = pixels_like(tiny, engine.batch), pixels_like(tiny, engine.batch, seed=1)
    first = engine.lane()(pixels)[0]
    for place in range(engine.batch):
        others[place] = pixels[0]
        assert np.array_equal(engine.lane()(others)[place], first)


@pytest.mark.usefixtures("has_openvino")
def test_an_answer_is_not_overwritten_by_the_next(tiny):
    engine = built(tiny, lanes=1)
    run = engine.lane()
    one = run(pixels_like(tiny, engine.batch))
    kept = one.copy()
    run(pixels_like(tiny, engine.batch, seed=1))
    assert np.array_equal(one, kept)


@pytest.mark.usefixtures("has_openvino")
def test_weights_that_may_move_are_left_as_they_are(tiny):
    tiny.module.requires_grad_(True)
    before = {name: value.clone() for name, value in tiny.module.state_dict().items()}
    engine = built(tiny, lanes=1)
    engine.lane()(pixels_like(tiny, engine.batch))
    assert all(weights.requires_grad for weights in tiny.module.parameters())
    assert all(torch.equal(value, before[name]) for name, value in tiny.module.state_dict().items())


class Untraceable(nn.Module):
    def forward(self, pixels):
        raise RuntimeError("not on a Monday")


@pytest.mark.usefixtures("has_openvino")
def test_a_network_that_cannot_be_converted(tiny):
    with pytest.raises(Unfit, match=r"OpenVINO cannot convert tiny: .*not on a Monday"):
        built(replace(tiny, module=Untraceable()), lanes=1)


def test_without_openvino_the_extra_is_named(tiny, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(Unfit, match=r"OpenVINO is not installed .*pip install 'headstart\[openvino\]'"):
        built(tiny, lanes=1)


@pytest.mark.usefixtures("has_openvino")
def test_importing_it_tells_nobody(preloaded):
    code = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise SystemExit('a network call')\n"
        "socket.socket.connect = refuse\n"
        "socket.getaddrinfo = refuse\n"
        "from headstart.features.engines.openvino_engine import import_openvino\n"
        "import_openvino()\n"
        "assert 'openvino_telemetry' not in sys.modules\n"
        "assert 'openvino' in sys.modules\n"
    )
    preloaded.checked(code)
    assert import_openvino().Core


def test_a_module_that_is_loaded_is_not_hidden(monkeypatch):
    monkeypatch.setitem(sys.modules, "some_module", sys)
    with openvino_engine._hidden("some_module"):
        assert sys.modules["some_module"] is sys
    with openvino_engine._hidden("other_module"), pytest.raises(ImportError):
        import other_module  # noqa: F401
    assert "other_module" not in sys.modules


@pytest.mark.usefixtures("has_openvino")
def test_what_fails_only_when_it_runs_is_said_to_be_unfit(tiny):
    engine = built(tiny)
    with pytest.raises(Unfit, match=r"OpenVINO cannot run tiny here: \S"):
        engine.lane()(pixels_like(tiny, engine.batch + 1))
