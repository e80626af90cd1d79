"""A model of several targets on the disk: a backbone once, and nothing believed unchecked."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import safetensors.torch
from blake3 import blake3
from PIL import Image

from headstart import ArtefactError, MultiTask
from headstart.artefact import MultiTaskModels, holds_multi_task, read_multi_task, write_multi_task
from headstart.artefact.files import seal
from headstart.artefact.multi_task_folder import read_multi_task_evidence

RESNET = "timm:test_resnet?weights=random"


@pytest.fixture(scope="module")
def pictures():
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)) for _ in range(16)]


@pytest.fixture(scope="module")
def fitted(pictures):
    answers = {
        "colour": ["red", "blue"] * 8,
        "size": np.linspace(0, 1, 16),
        "marks": [["x"], ["y", "x"], [], ["y"]] * 4,
    }
    return MultiTask(RESNET, "joint", engine="torch", cache=False).fit(pictures, answers)


def edited(folder, change):
    """The same folder with another config.json that is sealed again."""
    path = folder / "config.json"
    config = json.loads(path.read_text("utf-8"))
    change(config)
    path.write_text(json.dumps(seal(config)), "utf-8")
    return folder


def test_the_backbone_is_stored_once_and_shared(fitted, pictures, tmp_path):
    folder = fitted.save(tmp_path / "m")
    names = set(safetensors.torch.load_file(folder / "model.safetensors"))
    assert {name.split(".")[0] for name in names} == {"models", "backbones"}
    assert {name.split(".")[1] for name in names if name.startswith("backbones")} == {"0"}
    loaded = MultiTask.load(folder)
    backbones = {id(model.backbone) for model in loaded.models_.values()}
    assert len(backbones) == 1
    assert loaded.predict(pictures).equals(fitted.predict(pictures))
    assert {type(cell) for cell in loaded.predict(pictures)["marks"]} == {list}
    assert holds_multi_task(folder)
    assert not holds_multi_task(tmp_path)
    card = (folder / "README.md").read_text("utf-8")
    assert "A model of 3 targets of pictures" in card
    assert "says which of 2 labels apply" in card
    with pytest.raises(ArtefactError, match="holds a model without evidence: fit it with"):
        read_multi_task_evidence(folder)


def test_a_slim_model_finds_its_backbone_again(fitted, pictures, tmp_path):
    folder = fitted.save(tmp_path / "m", slim=True)
    names = set(safetensors.torch.load_file(folder / "model.safetensors"))
    assert {name.split(".")[0] for name in names} == {"models"}
    np.testing.assert_array_equal(
        MultiTask.load(folder).predict_proba(pictures)["colour"], fitted.predict_proba(pictures)["colour"]
    )


def test_targets_on_two_backbones(fitted, tmp_path):
    """One that was learnt alone may stand on another."""
    first = fitted.models_["size"]
    other = replace(first, backbone=first.backbone.random(1))
    models = {"colour": fitted.models_["colour"], "size": other}
    write_multi_task(MultiTaskModels(models, "auto"), tmp_path / "m")
    again = read_multi_task(tmp_path / "m")
    assert [again.place(model) for model in again.models.values()] == [0, 1]
    assert again.models["size"].backbone.fingerprint == other.backbone.fingerprint


def test_what_was_changed_is_refused(fitted, tmp_path):
    def saved(name):
        return fitted.save(tmp_path / name)

    twice = edited(saved("a"), lambda config: config["models"][1].update(target="colour"))
    with pytest.raises(
        ArtefactError, match=r"models of .'colour', 'colour', 'marks'., expected one or more, each of its"
    ):
        read_multi_task(twice)
    fewer = edited(saved("b"), lambda config: config["models"].pop())
    with pytest.raises(
        ArtefactError, match=r"model.safetensors holds 'models.2.head.* expected tensors of backbones.0"
    ):
        read_multi_task(fewer)
    lacking = edited(saved("c"), lambda config: config["files"].pop("model.safetensors"))
    with pytest.raises(ArtefactError, match=r"config.json lists no model.safetensors: it is not what headstart wrote"):
        read_multi_task(lacking)
    folder, record = saved("d"), b'{"page": 1}'
    (folder / "evidence.json").write_bytes(record)
    listed = {"size": len(record), "blake3": blake3(record).hexdigest()}
    edited(folder, lambda config: config["files"].update({"evidence.json": listed}))
    with pytest.raises(ArtefactError, match=r"evidence.json lacks page or facts: it is not what headstart wrote"):
        read_multi_task(folder)
    kind = edited(saved("e"), lambda config: config["models"][0]["config"].update(kind="ranking"))
    with pytest.raises(ArtefactError, match="kind is 'ranking'"):
        read_multi_task(kind)
