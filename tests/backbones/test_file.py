import json
from dataclasses import replace

import pytest
from safetensors.torch import load_file, save_file

from headstart.backbones.load import load
from headstart.errors import BackboneError, MissingWeights
from headstart.preprocessing.spec import preprocess_to_json


@pytest.fixture(params=["timm:test_vit?weights=random", "bert"])
def saved(request, tmp_path_factory):
    """A folder as a fitted model keeps it, and the backbone in it."""
    backbone = load(str(request.getfixturevalue("bert")) if request.param == "bert" else request.param)
    folder = tmp_path_factory.mktemp("model")
    preprocess = preprocess_to_json(backbone.preprocess)
    if tokenizer := preprocess.pop("tokenizer_json", None):
        (folder / "tokenizer.json").write_text(tokenizer)
    stored = {"name": backbone.name, "spec": backbone.spec, "preprocess": preprocess, "licence": "MIT"}
    stored["fingerprint"] = backbone.fingerprint
    (folder / "config.json").write_text(json.dumps({"format": "headstart-model", "backbone": stored}))
    tensors = {f"backbone.{name}": tensor.clone() for name, tensor in backbone.module.state_dict().items()}
    save_file(tensors, folder / "model.safetensors")
    return folder, backbone


def test_a_fitted_model_gives_its_backbone(saved):
    folder, backbone = saved
    again = load(f"file:{folder}")
    assert again.fingerprint == backbone.fingerprint
    assert again == replace(backbone, module=again.module, licence="MIT")


def test_a_fitted_model_whose_weights_changed_is_refused(saved):
    folder, _ = saved
    tensors = load_file(folder / "model.safetensors")
    name = next(name for name in tensors if name.endswith("bias"))
    save_file({**tensors, name: tensors[name] + 1}, folder / "model.safetensors")
    with pytest.raises(BackboneError, match="fingerprint is not the stored one: damaged"):
        load(str(folder))


def test_a_fitted_model_without_its_backbone_says_which_it_was(saved):
    folder, backbone = saved
    (folder / "model.safetensors").unlink()
    with pytest.raises(MissingWeights, match=r"saved without its backbone's weights; load .* by its name") as error:
        load(str(folder))
    assert backbone.name in str(error.value)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "keys none; expected 'architecture'"),
        ({"model": 1}, r"keys model; expected 'architecture' \(timm\), 'model_type'"),
        ({"backbone": {"name": "x"}}, "the backbone lacks fingerprint, preprocess, spec"),
        ([], "holds a list; expected a JSON object"),
    ],
)
def test_a_foreign_config_is_refused(tmp_path, config, words):
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(BackboneError, match=words):
        load(f"file:{tmp_path}")


def test_an_empty_folder_and_a_broken_config_are_refused(tmp_path):
    with pytest.raises(BackboneError, match=r"no config.json; expected a folder in timm's or transformers' format"):
        load(str(tmp_path))
    (tmp_path / "config.json").write_bytes(b"\xff{")
    with pytest.raises(BackboneError, match="not valid JSON"):
        load(str(tmp_path))
