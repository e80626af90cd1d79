from dataclasses import replace

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional

from headstart.features.engines.torch_engine import TorchEngine


def pixels_like(backbone, count=4, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, *backbone.preprocess.size, 3), dtype=np.uint8)


def plain(backbone, pixels):
    """The textbook: normalise, then the module, in float32."""
    floats = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        p = backbone.preprocess
        return backbone.module(functional.normalize(floats, list(p.mean), list(p.std))).numpy()


def test_float32_is_the_module_itself(tiny):
    engine = TorchEngine(tiny, "float32", "cpu")
    pixels = pixels_like(tiny, engine.batch)
    found = engine.lane()(pixels)
    assert found.dtype == np.float32
    assert np.allclose(found, plain(tiny, pixels), rtol=0, atol=1e-5)


def test_bfloat16_is_near(tiny):
    engine = TorchEngine(tiny, "bfloat16", "cpu")
    pixels = pixels_like(tiny, engine.batch)
    found, expected = engine.lane()(pixels), plain(tiny, pixels)
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() < 0.05 * np.abs(expected).max()


def test_a_text_backbone(words):
    ids = np.array([[1, 5, 6, 2], [1, 7, 2, 0]])
    mask = np.array([[1, 1, 1, 1], [1, 1, 1, 0]])
    with torch.no_grad():
        expected = words.module(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
    assert np.allclose(TorchEngine(words, "float32", "cpu").lane()(ids, mask), expected, atol=1e-6)


def test_the_backbone_is_left_as_it_is(tiny):
    before = {name: value.clone() for name, value in tiny.module.state_dict().items()}
    TorchEngine(tiny, "bfloat16", "cpu").lane()(pixels_like(tiny, 8))
    for name, value in tiny.module.state_dict().items():
        assert value.dtype == before[name].dtype
        assert value.is_contiguous()
        assert torch.equal(value, before[name])


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_row_does_not_depend_on_its_place_or_its_neighbours(tiny, precision):
    engine = TorchEngine(tiny, precision, "cpu")
    run = engine.lane()
    pixels = pixels_like(tiny, engine.batch)
    alone = run(pixels)
    others = pixels_like(tiny, engine.batch, seed=1)
    for place in range(engine.batch):
        others[place] = pixels[0]
        assert np.array_equal(run(others)[place], alone[0])


def test_a_backbone_without_a_network(tiny):
    with pytest.raises(ValueError, match="tiny has no network to run"):
        TorchEngine(replace(tiny, module=None), "float32", "cpu")


@pytest.mark.device
@pytest.mark.skipif("config.getoption('--device') != 'cuda'", reason="needs --device cuda")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_cuda(tiny, words, precision):
    engine = TorchEngine(tiny, precision, "cuda")
    pixels = pixels_like(tiny, engine.batch)
    expected = plain(tiny, pixels)
    limit = 1e-4 if precision == "float32" else 0.05
    assert np.abs(engine.lane()(pixels) - expected).max() < limit * np.abs(expected).max()
    ids = np.ones((2, 4), np.int64)
    assert TorchEngine(words, precision, "cuda").lane()(ids, ids).shape == (2, 5)
