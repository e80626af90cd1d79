import os
import shutil

import pytest
import torch

from headstart.backbones.load import HUBS, default, load, rebuild
from headstart.errors import BackboneError


def test_the_defaults_can_be_loaded():
    assert [default(modality) for modality in ("image", "text")] == ["bundled:efficientnet-lite0", "bundled:minilm"]
    assert {default("table"), default("array")} == {"identity"}
    backbone = load("identity")
    assert (backbone.name, backbone.module, backbone.preprocess, backbone.random) == ("identity", None, None, None)
    assert rebuild(backbone.spec, {}, None, "identity") == backbone


@pytest.mark.parametrize("way", ["{}", "file:{}", "timm:{}", "hf:{}"])
def test_a_folder_works_wherever_a_name_does(timm_folder, way):
    backbone = load(way.format(timm_folder))
    assert backbone.name == (way if ":" in way else "file:{}").format(timm_folder)


def test_the_fingerprint_does_not_depend_on_the_place(timm_folder, bert, tmp_path_factory):
    for folder in (timm_folder, bert):
        other = tmp_path_factory.mktemp("elsewhere") / "with spaces é"
        shutil.copytree(folder, other)
        assert load(str(other)).fingerprint == load(str(folder)).fingerprint


def test_a_relative_path_works(timm_folder, monkeypatch):
    monkeypatch.chdir(timm_folder.parent)
    assert load(timm_folder.name).fingerprint == load(f"timm:{timm_folder.name}{os.sep}").fingerprint


def test_random_weights_of_any_name(timm_folder):
    one = load(f"timm:{timm_folder}?weights=random&seed=4")
    pretrained = load(f"timm:{timm_folder}")
    assert one.fingerprint == pretrained.random(4).fingerprint != pretrained.fingerprint
    assert one.name == f"timm:{timm_folder}?weights=random&seed=4"
    assert one.random(5).name == f"timm:{timm_folder}?weights=random&seed=5"


def test_loading_leaves_the_callers_generator_alone(timm_folder):
    before = torch.get_rng_state()
    load("timm:test_vit?weights=random").random(2)
    load(str(timm_folder))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("resnet50", "neither hub:name nor a folder here; perhaps timm:resnet50"),
        ("minilm", r"perhaps bundled:minilm\? Expected bundled:efficientnet-lite0, .*timm:NAME.*hf:OWNER"),
        ("tim:resnet50", "no hub 'tim'; nearest: timm. Expected bundled:"),
        ("https://example.org/x", "no hub 'https'; Expected bundled:"),
        ("", "neither hub:name nor a folder"),
        ("file:/no/such/folder", "/no/such/folder is not a folder; expected one with config.json"),
        ("bundled:minilm?weights=none", r"nothing after '\?' but weights=random"),
        ("bundled:minilm?weights=random&seed=-1", r"weights=random&seed=NUMBER"),
        ("hf:a/b/c", "not a hub repository's name"),
        ("hf:", "not a hub repository's name"),
        ("timm:", "no network of this name"),
    ],
)
def test_a_name_that_cannot_be_is_refused_with_what_to_type(name, words):
    with pytest.raises(BackboneError, match=words):
        load(name)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hub": "elsewhere"}, "architecture of hub 'elsewhere': expected one of timm, hf, words"),
        ({"more": 1}, "keys .*'more'.*; expected .*'architecture', 'args', 'hub'"),
        ({"architecture": "no_such_net"}, "timm cannot build 'no_such_net'"),
        ({"args": {"pretrained": True}}, r"timm cannot build .*\['num_classes', 'pretrained'\]"),
        ({"args": {"no_such_option": 1}}, "cannot be built: .*no_such_option"),
        ({"architecture": "test_convnext", "args": {}}, "the weights do not fit the architecture: stem"),
        ({"args": {"img_size": 32}}, "pos_embed has the shape"),
    ],
)
def test_rebuilding_checks_its_spec(change, words):
    backbone = load("timm:test_vit?weights=random")
    with pytest.raises(BackboneError, match=words):
        rebuild({**backbone.spec, **change}, backbone.module.state_dict(), backbone.preprocess, "x")


def test_rebuilding_checks_its_tensors():
    backbone = load("timm:test_vit?weights=random")
    state = backbone.module.state_dict()
    less = {name: tensor for name, tensor in state.items() if name != "norm.weight"}
    with pytest.raises(BackboneError, match=r"x: the weights do not fit the architecture: norm.weight is missing\."):
        rebuild(backbone.spec, less, backbone.preprocess, "x")
    with pytest.raises(BackboneError, match="more is not of this architecture"):
        rebuild(backbone.spec, {**state, "more": torch.ones(1)}, backbone.preprocess, "x")
    with pytest.raises(BackboneError, match=r"norm.weight has the shape \(1,\), expected \(64,\)"):
        rebuild(backbone.spec, {**state, "norm.weight": torch.ones(1)}, backbone.preprocess, "x")
    with pytest.raises(BackboneError, match="needs its preprocessing; got None"):
        rebuild(backbone.spec, state, None, "x")


def test_rebuilding_does_not_keep_the_callers_tensors():
    backbone = load("timm:test_vit?weights=random")
    state = {name: tensor.clone() for name, tensor in backbone.module.state_dict().items()}
    again = rebuild(backbone.spec, state, backbone.preprocess, "x")
    state["norm.weight"].zero_()
    assert again.module.norm.weight.all()


def test_a_network_that_does_not_give_rows_of_features_is_refused(timm_folder, edit):
    edit(timm_folder / "config.json", model_args={"global_pool": ""})
    with pytest.raises(
        BackboneError, match=r"gives \(1, 96, 5, 5\) for one input; expected features of shape \(1, D\)"
    ):
        load(str(timm_folder))


def test_every_hub_is_in_the_message():
    hubs = ["bundled", "timm", "hf", "file", "torchvision", "keras", "onnx", "torchhub", "small"]
    assert list(HUBS) == [*hubs, "wavenet", "cbhg", "tacotron2"]
