"""The frozen pass on a pretended GPU: lanes that share it, what it cannot hold, and that it may vanish."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from elsewhere import Event, pretended
from spread import FULL, Spread
from torch import nn

from headstart.backbones.load import load
from headstart.errors import BackboneError
from headstart.features.engines import torch_engine
from headstart.features.engines.agreement import agrees, compare, probe, run
from headstart.features.engines.engine import Choice
from headstart.features.engines.rescue import RescuedEngine
from headstart.features.engines.torch_engine import TorchEngine
from headstart.features.extract import Extraction, extract

GPU = Extraction(thumbs=False)
"""Where there is a GPU it takes it."""
LOST = torch.AcceleratorError("CUDA error: unspecified launch failure")


@pytest.fixture
def eight(monkeypatch):
    """Batches of eight pictures, or some tokens."""
    monkeypatch.setattr(torch_engine, "_PICTURES_CUDA", 8)
    monkeypatch.setattr(torch_engine, "_TOKENS_CUDA", 16)


@pytest.fixture
def passes(monkeypatch):
    """How many inputs went through a network on the device, batch by batch; an error in the place of one is raised by
    the pass of that number."""
    sizes, plain = [], TorchEngine._on_device

    def watched(self, *inputs):
        sizes.append(len(inputs[0]))
        if isinstance(sizes[0], Exception) and len(sizes) - 1 == sizes[1]:
            raise sizes[0]
        return plain(self, *inputs)

    monkeypatch.setattr(TorchEngine, "_on_device", watched)
    return sizes


TEXTS = [" ".join("abcdefgh"[: 1 + row % 6]) + f" {'ijklmn'[row % 6]}" * (row // 6 % 3) for row in range(40)]


@pytest.mark.device
@pytest.mark.parametrize("lanes", [1, 3])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_lanes_that_share_the_device_give_the_features_of_the_cpu(tiny, photos, eight, passes, lanes, precision):
    expected = extract(photos, tiny, Extraction(engine="torch", precision="float32", device="cpu", thumbs=False)).values
    with pretended():
        made = extract(photos, tiny, replace(GPU, precision=precision, lanes=lanes))
    assert (made.engine.name, made.engine.precision, made.engine.device) == ("torch", precision, "cuda")
    assert made.engine.batch == 8
    limit = 1e-5 if precision == "float32" else 0.05
    np.testing.assert_allclose(made.values, expected, atol=limit * np.abs(expected).max())
    assert passes[-5:] == [8] * 5  # however many lanes, all of them full; before them perhaps a probe
    assert len(passes) <= 6
    assert made.computed == 40


@pytest.mark.device
@pytest.mark.parametrize("lanes", [1, 3])
def test_texts(words, eight, passes, lanes):
    expected = extract(TEXTS, words, Extraction(engine="torch", precision="float32", device="cpu")).values
    with pretended():
        made = extract(TEXTS, words, replace(GPU, precision="float32", lanes=lanes))
    np.testing.assert_allclose(made.values, expected, atol=1e-5)
    assert len(passes) >= 8


@pytest.mark.device
@pytest.mark.parametrize("name", ["bundled:efficientnet-lite0", "bundled:minilm", "timm:test_vit?weights=random"])
def test_a_network_cast_once_with_its_norms_folded_agrees_as_engines_must(name):
    backbone = load(name)
    inputs = probe(backbone)
    reference = TorchEngine(backbone, "float32", "cpu")
    expected = run(reference, reference.lane(), inputs)
    with pretended():
        engine = TorchEngine(backbone, "bfloat16", "cuda")
        rows = run(engine, engine.lane(), inputs)
        types = {weights.dtype for weights in engine._module.parameters()}
    assert types == {torch.bfloat16}
    assert agrees(compare(expected, rows), "bfloat16")
    assert all(weights.dtype == torch.float32 for weights in backbone.module.parameters())


class Early(nn.Module):
    """A norm that no convolution comes before, so that it is not folded."""

    def __init__(self):
        super().__init__()
        self.norm, self.conv = nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3)

    def forward(self, pixels):
        return self.conv(self.norm(pixels)).mean((2, 3))


@pytest.mark.device
def test_norms_that_are_left_stay_in_float32(tiny):
    module = Early().eval()
    module.norm.running_mean += 1 / 3
    with pretended():
        engine = TorchEngine(replace(tiny, module=module, dim=4), "bfloat16", "cuda")
        dtypes = {name: value.dtype for name, value in engine._module.state_dict().items()}
        assert torch.equal(engine._module.norm.running_mean.cpu(), module.norm.running_mean)
    assert dtypes["norm.weight"] == dtypes["norm.running_var"] == torch.float32
    assert dtypes["conv.weight"] == torch.bfloat16


class Mixing(nn.Module):
    """Goes on in float32 by itself, where weights of another type are refused."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 4)

    def forward(self, pixels):
        return self.layer(pixels.float().mean((2, 3)))


@pytest.mark.device
def test_a_network_that_does_not_calculate_in_bfloat16_does_so_in_float32_on_the_same_device(tiny, photos):
    mixing = replace(tiny, module=Mixing().eval(), dim=4, fingerprint="mixing")
    with pretended():
        made = extract(photos, mixing, GPU)
    assert (made.engine.precision, made.engine.device) == ("float32", "cuda")
    assert "torch float32 on cuda is used instead" in made.notes[0]
    assert "does not calculate in bfloat16 on cuda" in made.notes[0]


@pytest.mark.parametrize("when", ["launched", "waited for"])
@pytest.mark.parametrize("kind", ["pictures", "texts"])
def test_a_device_that_vanishes_leaves_what_was_computed_and_a_second_run_goes_on(
    tiny, words, photos, cache, eight, passes, monkeypatch, when, kind
):
    inputs, backbone = (photos, tiny) if kind == "pictures" else (TEXTS, words)
    extraction = replace(GPU, precision="float32", cache=cache, lanes=1)
    with pretended():
        with monkeypatch.context() as patch:
            if when == "launched":
                passes[:] = [LOST, 6]  # the probe is the first pass
            else:
                plain, waits = Event.synchronize, []

                def synchronize(event):
                    waits.append(event)
                    if len(waits) == 4:
                        raise LOST
                    plain(event)

                patch.setattr(Event, "synchronize", synchronize)
            words_of_it = (
                r"cuda failed and does not answer any more \(CUDA error: unspecified launch failure\)\. What was"
            )
            with pytest.raises(BackboneError, match=words_of_it) as caught:
                extract(inputs, backbone, extraction)
        assert "is kept in the cache" in str(caught.value)
        assert str(cache.folder) in str(caught.value)
        assert "the same command goes on from there" in str(caught.value)
        del passes[:]
        again = extract(inputs, backbone, extraction)
    assert 0 < again.computed < len(set(map(str, inputs)))
    expected = extract(
        inputs, backbone, Extraction(engine="torch", precision="float32", device="cpu", thumbs=False)
    ).values
    np.testing.assert_allclose(again.values, expected, atol=1e-5)
    assert len(passes) <= 5 or kind == "texts"


def test_without_a_cache_it_says_that_nothing_is_left(tiny, photos, eight, passes):
    with pretended():
        passes[:] = [LOST, 3]
        with pytest.raises(BackboneError, match="Without a cache nothing is kept of what was computed"):
            extract(photos, tiny, replace(GPU, precision="float32"))


def test_a_device_that_others_have_filled_is_told_when_the_network_is_put_there(tiny, photos, monkeypatch):
    def full(self, module):
        raise FULL

    monkeypatch.setattr(TorchEngine, "_cast", full)
    words = r"cuda has too little memory left \(0\.1 of 0\.2 GiB; other processes may hold the rest\)"
    with pretended(), pytest.raises(BackboneError, match=words):
        extract(photos, tiny, GPU)


def spread(tiny, most):
    flat = replace(tiny.preprocess, mean=(0.0,) * 3, std=(1.0,) * 3)
    return replace(tiny, module=Spread(most).eval(), dim=3, preprocess=flat, fingerprint=f"spread {most}")


def even(count):
    """Every other picture is nearly of one colour."""
    pixels = np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
    pixels[1::2] = 200 + pixels[1::2] // 64
    return pixels


@pytest.mark.device
def test_memory_that_ends_under_way_halves_the_batches(tiny, eight):
    pixels = list(even(24))
    expected = extract(
        pixels, spread(tiny, 99), Extraction(engine="torch", precision="float32", device="cpu", thumbs=False)
    ).values
    with pretended():
        made = extract(pixels, spread(tiny, 5), replace(GPU, precision="float32", lanes=2))
    np.testing.assert_allclose(made.values, expected, rtol=1e-4)
    assert made.notes == ("the memory of cuda holds 4 inputs at a time",)


def test_where_not_one_input_fits_it_says_so(tiny):
    with pretended(), pytest.raises(BackboneError, match="cuda has too little memory left"):
        extract(list(even(4)), spread(tiny, 0), replace(GPU, precision="float32"))


@pytest.mark.device
def test_rows_without_finite_features_are_computed_again_when_they_come(tiny, eight):
    some, pixels = spread(tiny, 99), even(8)
    exact = TorchEngine(some, "float32", "cpu").lane()(pixels)
    with pretended():
        inner = TorchEngine(some, "bfloat16", "cuda")
        broken = ~np.isfinite(inner.lane()(pixels)).all(axis=1)
        engine = RescuedEngine(inner, Choice("torch", "bfloat16", "cuda", ""), some)
        start = engine.starter()
        first, second = start(list(pixels)), start(pixels)
        assert engine.notes == []
        rows = first(), second()
    assert 0 < broken.sum() < len(pixels)
    np.testing.assert_array_equal(rows[0], rows[1])
    assert np.isfinite(rows[0]).all()
    np.testing.assert_allclose(rows[0][broken], exact[broken], rtol=1e-3)
    assert engine.notes == [
        f"{2 * int(broken.sum())} inputs have no finite features in bfloat16 and were computed in float32"
    ]


def test_batches_are_as_large_as_the_device_and_the_features_allow(tiny, words, monkeypatch):
    def batch(backbone, gigabytes):
        with pretended(), monkeypatch.context() as patch:
            made = torch.cuda.get_device_properties()
            made.total_memory = int(gigabytes * 2**30)
            patch.setattr(torch.cuda, "get_device_properties", lambda device: made)
            return TorchEngine(backbone, "float32", "cuda").batch

    large = replace(tiny, preprocess=replace(tiny.preprocess, size=(224, 224)))
    assert batch(large, 140) == 256
    assert batch(large, 8) == 64
    assert batch(large, 1) == 8
    assert batch(replace(large, dim=200_704), 140) == 64  # 256 rows of what crosses a cut are 205 MB
    assert batch(words, 140) == 1 << 16
    assert batch(words, 8) == 1 << 13


def test_an_engine_of_the_cpu_hands_nothing_over(tiny):
    engine = TorchEngine(tiny, "float32", "cpu")
    assert engine.flight == 0
    with pytest.raises(ValueError, match="an engine on cpu calculates while it is called"):
        engine.start(np.zeros((4, 32, 32, 3), np.uint8))
