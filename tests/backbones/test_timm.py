import json

import pytest
import timm
import torch
from torch import nn

from headstart.backbones.load import load
from headstart.backbones.timm import picture_preprocess, random_weights
from headstart.errors import BackboneError, MissingWeights


def inputs(backbone, count=2):
    return torch.randn(count, 3, *backbone.preprocess.size, generator=torch.Generator().manual_seed(0))


def test_a_folder_gives_the_features_of_the_network_that_was_saved(timm_folder):
    backbone = load(f"timm:{timm_folder}")
    torch.manual_seed(0)
    saved = timm.create_model("test_resnet", num_classes=7).eval()
    x = inputs(backbone)
    with torch.inference_mode():
        expected = saved.forward_head(saved.forward_features(x), pre_logits=True)
        assert torch.equal(backbone.module(x), expected)
    assert backbone.dim == expected.shape[1] == saved.num_features
    assert backbone.spec == {"hub": "timm", "architecture": "test_resnet", "args": {"global_pool": "avg"}}
    assert "state_dict" not in backbone.module.pretrained_cfg


def test_weights_as_a_pytorch_file_give_the_same_backbone(timm_folder):
    from safetensors.torch import load_file

    first = load(f"timm:{timm_folder}")
    torch.save(load_file(timm_folder / "model.safetensors"), timm_folder / "pytorch_model.bin")
    (timm_folder / "model.safetensors").unlink()
    assert load(str(timm_folder)).fingerprint == first.fingerprint


def test_a_pickle_is_never_unpickled(timm_folder):
    (timm_folder / "model.safetensors").unlink()
    torch.save(nn.Linear(2, 2), timm_folder / "pytorch_model.bin")
    with pytest.raises(BackboneError, match=r"not a readable file of weights .*fetch it again"):
        load(f"timm:{timm_folder}")


def test_an_older_config_without_a_section_for_the_weights_is_read(timm_folder, edit):
    edit(timm_folder / "config.json", model_args=None)
    expected = load(f"timm:{timm_folder}")
    path = timm_folder / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({"architecture": "test_resnet", **config["pretrained_cfg"], "num_classes": 7}))
    assert load(f"timm:{timm_folder}").fingerprint == expected.fingerprint


def test_options_of_the_architecture_are_kept(tmp_path):
    model = timm.create_model(
        "test_vit", num_classes=0, img_size=96, pretrained_cfg_overlay={"input_size": (3, 96, 96)}
    )
    timm.models.save_for_hf(model, tmp_path, model_args={"img_size": 96}, safe_serialization=True)
    backbone = load(f"file:{tmp_path}")
    assert backbone.preprocess.size == (96, 96)
    assert backbone.spec["args"] == {"img_size": [96, 96], "global_pool": "token"}
    assert backbone.random(0).preprocess == backbone.preprocess


def test_a_damaged_folder_is_refused_in_words(timm_folder):
    (timm_folder / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(BackboneError, match="not a readable file of weights"):
        load(f"timm:{timm_folder}")
    (timm_folder / "model.safetensors").unlink()
    with pytest.raises(MissingWeights, match=r"no model.safetensors and no pytorch_model.bin"):
        load(f"timm:{timm_folder}")


def test_weights_of_another_architecture_are_refused(timm_folder, edit):
    edit(timm_folder / "config.json", architecture="test_convnext")
    with pytest.raises(BackboneError, match="do not fit test_convnext"):
        load(f"timm:{timm_folder}")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"architecture": "test_resnot"}, "no network of this name; nearest: test_resnet"),
        ({"architecture": 7}, "no network of this name; nearest: none"),
        ({"model_args": {"checkpoint_path": "/elsewhere"}}, r"cannot build .*\['checkpoint_path', 'num_classes'\]"),
        ({"model_args": {"no_such_option": 1}}, "not timm's hub format .*no_such_option"),
        ({"model_args": 7}, "not timm's hub format"),
        ({"pretrained_cfg": {"crop_pct": 0}}, "not timm's hub format .*ZeroDivision"),
        ({"pretrained_cfg": {"crop_mode": "border"}}, "crop_mode 'border' is not supported"),
        ({"pretrained_cfg": {"interpolation": "random"}}, "interpolation 'random'.* is not supported"),
        ({"pretrained_cfg": {"input_size": [1, 28, 28]}, "model_args": {}}, "takes 1 channels; expected 3"),
        ({"model_args": {"in_chans": 4}}, "takes 4 channels; expected 3"),
        ({"auto_map": {"AutoModel": "code.Model"}}, "the repository's own Python code, which headstart never does"),
    ],
)
def test_a_forged_config_is_refused(timm_folder, edit, changes, words):
    edit(timm_folder / "config.json", **changes)
    with pytest.raises(BackboneError, match=words):
        load(f"timm:{timm_folder}")


@pytest.mark.parametrize("name", ["resnet50", "vit_tiny_patch16_224", "convnext_tiny", "inception_v3", "vgg16"])
def test_the_preprocessing_is_that_of_timms_own_transform(name):
    config = timm.get_pretrained_cfg(name).to_dict()
    preprocess = picture_preprocess(config)
    resize, crop, *_, normalize = timm.data.create_transform(**timm.data.resolve_data_config({}, config)).transforms
    assert resize.size == preprocess.resize
    assert tuple(crop.size) == preprocess.size
    assert resize.interpolation.value == preprocess.interpolation
    assert torch.equal(normalize.mean, torch.tensor(preprocess.mean))
    assert torch.equal(normalize.std, torch.tensor(preprocess.std))


def test_a_squashing_network_squashes():
    preprocess = picture_preprocess(timm.get_pretrained_cfg("convnext_base.fb_in22k_ft_in1k_384").to_dict())
    assert (preprocess.squash, preprocess.size) == (True, (384, 384))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("timm:resnet500", "timm has no network of this name; nearest: resnet50"),
        ("timm:resnet50.in1", "no weights tagged 'in1'; expected one of a1_in1k"),
        ("timm:gcvit_base", r"no weights on the hub; give a folder, or say timm:gcvit_base\?weights=random"),
    ],
)
def test_a_name_that_timm_does_not_know_is_refused(name, words):
    with pytest.raises(BackboneError, match=words):
        load(name)


@pytest.mark.parametrize(
    ("name", "dim"),
    [
        ("test_resnet", 96),
        ("test_vit", 64),
        ("test_convnext", 64),
        ("test_efficientnet", 256),
        ("resnet18", 512),
        ("efficientnet_b0", 1280),
    ],
)
def test_random_weights_need_nothing_but_timm(name, dim):
    backbone = load(f"timm:{name}?weights=random")
    assert (backbone.name, backbone.dim, backbone.modality) == (f"timm:{name}?weights=random", dim, "image")
    with torch.inference_mode():
        assert backbone.module(inputs(backbone)).shape == (2, dim)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "dim", "size"),
    [
        ("vgg16", 4096, 224),
        ("resnet50", 2048, 224),
        ("inception_v3", 2048, 299),
        ("efficientnet_b3", 1536, 288),
        ("vit_base_patch16_224", 768, 224),
        ("convnext_base", 1024, 224),
    ],
)
def test_the_big_ones_too(name, dim, size):
    backbone = load(f"timm:{name}?weights=random")
    assert (backbone.dim, backbone.preprocess.size) == (dim, (size, size))


def test_the_seed_decides_the_random_weights():
    one, two = load("timm:test_vit?weights=random"), load("timm:test_vit?weights=random&seed=1")
    assert one.fingerprint == load("timm:test_vit?weights=random&seed=0").fingerprint != two.fingerprint
    assert one.random(1).fingerprint == two.fingerprint
    assert random_weights("test_vit", 1).name == "timm:test_vit?weights=random&seed=1"
