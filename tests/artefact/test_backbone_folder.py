"""A backbone without a head in a folder: written whole or not at all, read back, and used as `--backbone file:`."""

import json
import os

import numpy as np
import pytest
import torch

from headstart import Transfer
from headstart.artefact import Pretraining, read, read_backbone, read_pretraining, write_backbone
from headstart.artefact.files import seal
from headstart.artefact.strict_json import dump
from headstart.artefact.writing import listing
from headstart.backbones.load import load
from headstart.errors import ArtefactError

MADE = Pretraining("simclr", {"epochs": 3}, "prototypes", "uniformity -2.1\nrank 40 of 64", {"rank": [40, 64]})


@pytest.fixture
def folder(backbone, tmp_path):
    return write_backbone(backbone, MADE, tmp_path / "mine")


def rewritten(folder, **changes):
    """The folder with other values in a config that is sealed again."""
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_bytes(dump(seal(config | changes)))


def test_comes_back_as_it_was(folder, backbone):
    assert sorted(os.listdir(folder)) == ["README.md", "config.json", "evidence.json", "model.safetensors"]
    again, made = read_backbone(folder)
    assert made == MADE == read_pretraining(folder)
    assert again.fingerprint == backbone.fingerprint
    for name, tensor in backbone.module.state_dict().items():
        assert torch.equal(tensor, again.module.state_dict()[name])
    assert "made by `simclr`" in (folder / "README.md").read_text("utf-8")


def test_serves_as_a_backbone(folder):
    pictures = np.random.default_rng(0).integers(0, 255, (12, 32, 32, 3), dtype=np.uint8)
    model = Transfer(f"file:{folder}", "prototypes", engine="torch", cache=False).fit(list(pictures), list("ab" * 6))
    assert model.backbone_.fingerprint == load(f"file:{folder}").fingerprint
    assert set(model.predict(list(pictures))) <= {"a", "b"}


def test_is_no_model_and_a_model_is_none(folder, saved):
    with pytest.raises(ArtefactError, match=r"is a pretrained backbone, not a fitted model: .*--backbone file:"):
        read(folder)
    with pytest.raises(ArtefactError, match=r"is no pretrained backbone: its config\.json lacks"):
        read_backbone(saved)


def test_is_replaced_only_where_asked(folder, backbone):
    with pytest.raises(ArtefactError, match="there is a model at"):
        write_backbone(backbone, MADE, folder)
    write_backbone(backbone, MADE._replace(rule=None), folder, overwrite=True)
    assert read_pretraining(folder).rule is None


def test_damage_is_named(folder):
    tensors = bytearray((folder / "model.safetensors").read_bytes())
    tensors[-1] ^= 1
    (folder / "model.safetensors").write_bytes(tensors)
    with pytest.raises(ArtefactError, match="does not have the hash"):
        read_pretraining(folder)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"version": 99}, "made by a newer headstart"),
        ({"rule": 3}, "rule is 3, expected text"),
        ({"files": {}}, "lists too few files"),
        ({"surprise": 1}, "beyond or short of the format"),
    ],
)
def test_what_headstart_did_not_write_is_refused(folder, changes, words):
    rewritten(folder, **changes)
    with pytest.raises(ArtefactError, match=words):
        read_backbone(folder)


def test_evidence_of_another_shape_is_refused(folder):
    data = dump({"page": 3})
    (folder / "evidence.json").write_bytes(data)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    rewritten(folder, files=config["files"] | listing({"evidence.json": data}))
    with pytest.raises(ArtefactError, match="lacks page or facts"):
        read_pretraining(folder)


def test_weights_of_another_backbone_are_refused(folder):
    config = json.loads((folder / "config.json").read_text("utf-8"))
    rewritten(folder, backbone=config["backbone"] | {"fingerprint": "0" * 64})
    with pytest.raises(ArtefactError, match="is not the one that was saved"):
        read_backbone(folder)


def test_what_cannot_be_kept_is_refused(tmp_path):
    with pytest.raises(ArtefactError, match="has no weights that could be kept"):
        write_backbone(load("identity"), MADE, tmp_path / "none")
    assert os.listdir(tmp_path) == []


def test_the_command_line_shows_it(folder, run):
    done = run("show", str(folder))
    assert done.code == 0
    assert "simclr" in done.out
    assert "rank 40 of 64" in done.out
    assert json.loads(run("show", str(folder), "--json").out)["facts"] == {"rank": [40, 64]}
