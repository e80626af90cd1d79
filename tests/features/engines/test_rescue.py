"""An engine that runs out of memory, or has no finite features in bfloat16, goes on and says so."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from spread import Spread

from headstart.backbones.backbone import Backbone
from headstart.features.engines.engine import Choice
from headstart.features.engines.rescue import RescuedEngine
from headstart.features.engines.torch_engine import TorchEngine
from headstart.features.extract import Extraction, extract
from headstart.preprocessing.spec import PicturePreprocess


def backbone(most=64):
    preprocess = PicturePreprocess(size=(16, 16), resize=16, interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3)
    module = Spread(most).eval().requires_grad_(False)
    return Backbone(
        name="spread", modality="image", module=module, dim=3, preprocess=preprocess, fingerprint=f"{most}", spec={}
    )


def batch(count=8):
    pixels = np.random.default_rng(0).integers(0, 256, (count, 16, 16, 3), dtype=np.uint8)
    pixels[1::2] = 200 + pixels[1::2] // 64
    return pixels


def test_rows_without_finite_features_are_computed_in_float32():
    some, pixels = backbone(), batch()
    plain = TorchEngine(some, "bfloat16", "cpu").lane()(pixels)
    broken = ~np.isfinite(plain).all(axis=1)
    assert 0 < broken.sum() < len(pixels)
    engine = RescuedEngine(TorchEngine(some, "bfloat16", "cpu"), Choice("torch", "bfloat16", "cpu", ""), some)
    rows = engine.lane()(pixels)
    exact = TorchEngine(some, "float32", "cpu").lane()(pixels)
    np.testing.assert_allclose(rows[broken], exact[broken], rtol=1e-5)
    np.testing.assert_array_equal(rows[~broken], plain[~broken])
    count = int(broken.sum())
    was = "input has" if count == 1 else "inputs have"
    assert engine.notes == [f"{count} {was} no finite features in bfloat16 and were computed in float32"]


def test_batches_are_halved_until_memory_holds_them_and_stay_so():
    some, pixels = backbone(most=3), batch()
    inner = TorchEngine(some, "float32", "cpu")
    engine = RescuedEngine(inner, Choice("torch", "float32", "cuda", ""), some)
    runner = engine.lane()
    np.testing.assert_array_equal(runner(pixels), TorchEngine(backbone(), "float32", "cpu").lane()(pixels))
    assert inner._module.sizes == [8, 4, 2, 2, 2, 2]
    runner(pixels)
    assert inner._module.sizes[6:] == [2] * 4
    assert engine.notes == ["the memory of cuda holds 2 inputs at a time"]


def test_where_not_one_input_fits_torch_says_so():
    some = backbone(most=0)
    engine = RescuedEngine(TorchEngine(some, "float32", "cpu"), Choice("torch", "float32", "cuda", ""), some)
    with pytest.raises(torch.OutOfMemoryError, match="CUDA out of memory"):
        engine.lane()(batch())


def test_an_extraction_tells_of_it(monkeypatch):
    monkeypatch.setattr("headstart.features.engines.select.agrees", lambda agreement, precision: True)
    pixels = list(batch(9))
    made = extract(pixels, backbone(), Extraction(engine="torch", precision="bfloat16", thumbs=False))
    assert np.isfinite(made.values).all()
    assert any("no finite features in bfloat16 and were computed in float32" in note for note in made.notes)
    assert extract(pixels, backbone(), Extraction(engine="torch", thumbs=False)).notes == ()
