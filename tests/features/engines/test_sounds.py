"""Engines and backbones of sounds: torch alone runs them, and hears waves exactly in bfloat16 too."""

import numpy as np
import pytest
import torch
from sounds import batch, clip

from headstart.backbones.load import load
from headstart.data.sounds import clip_of
from headstart.features.engines.engine import Unfit
from headstart.features.engines.openvino_engine import OpenVINOEngine
from headstart.features.engines.torch_engine import TorchEngine
from headstart.features.extract import extract
from headstart.features.extraction import Extraction

CLIPS = [clip(0.2 + 0.1 * seed, seed) for seed in range(5)]


@pytest.mark.parametrize("name", ["tacotron2:8", "tacotron2:8@2", "spectrogram+timm:test_vit?weights=random"])
def test_openvino_says_that_it_cannot(name):
    pytest.importorskip("openvino")
    with pytest.raises(Unfit, match=r"OpenVINO cannot run .*: it reads waves of any length, which only torch"):
        OpenVINOEngine(load(name), "float32", 1)


def test_torch_is_used_where_openvino_was_asked_for():
    pytest.importorskip("openvino")
    backbone = load("tacotron2:8")
    clips = [clip_of((wave, 16000)) for wave in CLIPS]
    found = extract(clips, backbone, Extraction(engine="openvino", precision="float32", cache=None))
    assert found.engine.name == "torch"
    assert any("only torch transforms" in note for note in found.notes)
    with torch.inference_mode():
        expected = backbone.module(*batch(*CLIPS)).numpy()
    np.testing.assert_allclose(found.values, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["bundled:speech-embedding", "bundled:speech-embedding@3"])
def test_waves_stay_exact_in_bfloat16(name):
    """A wave of 8 bits would hear its own noise: as quiet as this clip is beside its offset."""
    backbone = load(name)
    waves, samples = batch(*[0.002 * wave + 0.4 for wave in CLIPS])
    waves *= torch.arange(waves.shape[1]) < samples[:, None]
    with torch.inference_mode():
        expected = backbone.module(waves, samples).numpy()
    found = TorchEngine(backbone, "bfloat16", "cpu").lane()(waves.numpy(), samples.numpy())
    rounded = backbone.module(waves.bfloat16().float(), samples).detach().numpy()
    error = np.abs(found - expected).max()
    assert error < 0.05 * np.abs(expected).max()
    assert error < 0.5 * np.abs(rounded - expected).max()
