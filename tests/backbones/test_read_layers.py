"""A backbone cut after a layer is a smaller backbone: its weights, its fingerprint, its twin, its errors."""

import pytest
import timm
import torch
from numpy.testing import assert_allclose

from headstart.backbones.layers import WHOLE
from headstart.backbones.load import load, rebuild
from headstart.backbones.read_layers import layers_of, read_of, reading
from headstart.errors import BackboneError
from headstart.features.extract import extract
from headstart.features.extraction import Extraction

PLAIN = Extraction(engine="torch", thumbs=False)
TEXTS = ["a good film", "it was very dull", "not a story that anyone will want to read a second time"]


def test_the_network_is_smaller_by_what_stands_above():
    whole, cut = load("bundled:efficientnet-lite0"), load("bundled:efficientnet-lite0@5")
    assert (cut.dim, cut.name) == (112, "bundled:efficientnet-lite0@5")
    kept = {name.removeprefix("network.") for name, _ in cut.module.named_parameters()}
    expected = {name for name, _ in whole.module.named_parameters() if name.startswith(("conv_stem", "bn1"))}
    expected |= {f"blocks.{i}.{name}" for i in range(5) for name, _ in whole.module.blocks[i].named_parameters()}
    assert kept == expected
    assert [name for name, _ in cut.stages] == [f"network.{name}" for name, _ in whole.stages[:6]]
    named = sum(sum(key.startswith(prefixes) for key, _ in cut.module.named_parameters()) for _, prefixes in cut.stages)
    assert named == len(kept)
    assert cut.classifier is None
    assert (cut.licence, cut.preprocess) == (whole.licence, whole.preprocess)


def test_features_of_a_picture_network_are_its_map(tmp_path):
    whole, cut, largest = (load(f"bundled:mobilenetv2{part}") for part in ("", "@blocks.2", "@3@max"))
    pixels = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        maps = whole.module.blocks[:3](whole.module.bn1(whole.module.conv_stem(pixels)))
        assert_allclose(cut.module(pixels), maps.mean((2, 3)), atol=1e-5)
        assert_allclose(largest.module(pixels), maps.amax((2, 3)), atol=1e-5)


def test_each_reading_has_a_fingerprint_of_its_own():
    names = ["", "@3", "@4", "@3@max", "@3@cls", "@max"]
    prints = [load(f"bundled:minilm{name}").fingerprint for name in names]
    assert len(set(prints)) == len(names)
    assert load("bundled:minilm@model.encoder.layer.2").fingerprint == prints[1]


def test_the_cache_tells_readings_apart(tmp_path):
    from headstart.features.cache.cache import Cache

    kept = Extraction(engine="torch", thumbs=False, cache=Cache(tmp_path))
    first, second = (extract(TEXTS, load(f"bundled:wordllama@{pool}"), kept) for pool in ("mean", "max"))
    assert first.computed == second.computed == 3
    assert abs(first.values - second.values).max() > 0.1
    assert extract(TEXTS, load("bundled:wordllama@max"), kept).computed == 0
    assert_allclose(first.values, extract(TEXTS, load("bundled:wordllama"), PLAIN).values)


@pytest.mark.parametrize("name", ["bundled:wordllama@max", "timm:test_vit@2@cls?weights=random", "small:conv4@1"])
def test_it_is_rebuilt_from_its_spec_and_weights_alone(name):
    backbone = load(name)
    again = rebuild(backbone.spec, backbone.module.state_dict(), backbone.preprocess, name, licence=backbone.licence)
    assert (again.fingerprint, again.dim, again.stages) == (backbone.fingerprint, backbone.dim, backbone.stages)


def test_random_weights_are_those_of_the_network_below():
    whole, cut = load("timm:test_vit?weights=random&seed=3"), load("timm:test_vit@2?weights=random&seed=3")
    twin = load("timm:test_vit@2?weights=random").random(3)
    weights = dict(whole.module.named_parameters())
    for name, value in cut.module.named_parameters():
        assert torch.equal(value, weights[name.removeprefix("network.")])
    assert twin.fingerprint == cut.fingerprint
    assert twin.name == "timm:test_vit@2?weights=random&seed=3"


def test_layers_of_a_decoder_and_of_its_folder(gpt2):
    backbone = load(f"file:{gpt2}")
    assert [layer.name for layer in layers_of(backbone)] == ["model.wte", "model.h.0", "model.h.1"]
    last, own = load(f"file:{gpt2}@last"), load(f"file:{gpt2}@2@last")
    from transformers import GPT2Model

    model = GPT2Model.from_pretrained(gpt2).eval()
    ids = torch.tensor([[4, 5, 6, 7], [8, 9, 0, 0]])
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])
    with torch.no_grad():
        states = model(input_ids=ids, attention_mask=mask).last_hidden_state
        assert_allclose(last.module(ids, mask), torch.stack([states[0, 3], states[1, 1]]), atol=1e-5)
        assert_allclose(own.module(ids, mask), backbone.module(ids, mask), atol=1e-6)


def test_a_reading_of_a_transformers_folder_is_smaller(bert):
    cut = load(f"file:{bert}@1")
    assert cut.dim == 32
    assert {name.split(".")[4] for name, _ in cut.module.named_parameters() if ".layer." in name} == {"0"}


def test_a_map_before_the_pooling_not_after_it():
    """ConvNeXt ends in a norm of what was averaged: its last map stands before that."""
    pixels = torch.randn(2, 3, 160, 160, generator=torch.Generator().manual_seed(0))
    backbone = load("timm:test_convnext@max?weights=random")
    network = timm.create_model("test_convnext", num_classes=0).eval()
    network.load_state_dict(load("timm:test_convnext?weights=random").module.state_dict())
    with torch.no_grad():
        assert_allclose(backbone.module(pixels), network.forward_features(pixels).amax((2, 3)), atol=1e-5)


def test_a_layer_of_a_layer():
    third, direct = load("timm:test_vit@3?weights=random"), load("timm:test_vit@1@max?weights=random")
    for layer in ("1", "network.blocks.0"):
        again = reading(third, [read_of(third, layer, "max")], direct.name)
        assert (again.fingerprint, again.stages, again.spec) == (direct.fingerprint, direct.stages, direct.spec)
    assert [layer.name for layer in layers_of(third)] == [name for name, _ in third.stages]
    both = reading(third, [WHOLE, read_of(third, "3", "mean")], "both")
    pixels = torch.randn(2, 3, 160, 160, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        first, second = both.module(pixels).split(third.dim, 1)
        assert_allclose(first, third.module(pixels))
        assert_allclose(second, third.module(pixels))


def test_what_is_refused():
    with pytest.raises(BackboneError, match=r"no layer '9'\. Its layers: 0 \(model\.embeddings\), 1 \(.*, 6 \("):
        load("bundled:minilm@9")
    with pytest.raises(
        BackboneError, match=r"no layer and no pooling 'meen'; nearest: mean\..*Poolings: mean, max, cls"
    ):
        load("bundled:minilm@meen")
    with pytest.raises(BackboneError, match=r"no layer and no pooling 'blocks\.11'; nearest: blocks\.1"):
        load("bundled:mobilenetv2@blocks.11")
    with pytest.raises(BackboneError, match=r"no pooling 'cls' after all; expected mean or max"):
        load("bundled:wordllama@cls")
    with pytest.raises(BackboneError, match="no pooling 'last' after blocks"):
        load("timm:test_vit@last?weights=random")
    for name in ("bundled:table-prior@1", "identity@1", "small:rows@1"):
        with pytest.raises(BackboneError):
            load(name)
    with pytest.raises(BackboneError, match="bundled:table-prior has no layers to read"):
        load("bundled:table-prior@1")
    with pytest.raises(BackboneError, match="no such backbone; nearest: minilm"):
        load("bundled:minillm@4")


def test_a_spec_that_is_forged_is_refused():
    backbone = load("small:conv4@1")
    weights = backbone.module.state_dict()
    for change in (
        {"reads": [["blocks.9", "mean"]]},
        {"reads": [["blocks.1", "sum"]]},
        {"without": ["x"]},
        {"reads": 3},
    ):
        with pytest.raises(BackboneError, match="'layers' cannot be built"):
            rebuild(backbone.spec | change, weights, backbone.preprocess, "forged")
    with pytest.raises(BackboneError, match="architecture of hub 'elsewhere'"):
        rebuild(backbone.spec | {"base": {"hub": "elsewhere"}}, weights, backbone.preprocess, "forged")
