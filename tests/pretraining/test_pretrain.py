"""From pictures without labels to a backbone in a folder, and from there to `fit`."""

from __future__ import annotations

import json

import pytest
import torch
from small import RESNET, Killed

from headstart.artefact import read_backbone
from headstart.backbones.load import load


def test_a_folder_of_pictures_becomes_a_backbone_that_fit_begins_with(run, pictures, tmp_path):
    words = ["--option", "epochs=2", "--option", "size=32", "--option", "batch=12"]
    output = run("pretrain", pictures, "--backbone", RESNET, "--out", tmp_path / "mine", "--json", *words)
    assert output.code == 0, output.err
    assert output.json["method"] == "simclr"
    assert output.json["options"]["epochs"] == 2
    facts = output.json["facts"]
    assert facts["began"]["name"].startswith("timm:test_resnet?weights=random")
    assert [curve["epoch"] for curve in facts["curves"]] == [1, 2]
    assert facts["curves"][1]["rank"] > 1.5
    assert facts["first"]["rank"] > 1.5
    made, record = read_backbone(tmp_path / "mine")
    assert record.method == "simclr"
    assert made.preprocess.size == (32, 32)
    assert made.fingerprint == load(f"file:{tmp_path / 'mine'}").fingerprint != load(RESNET).fingerprint
    shown = run("show", tmp_path / "mine")
    assert "simclr on 24 pictures, 2 epochs" in shown.out


class Ended:
    """A listener that ends the run when so many epochs are done."""

    def __init__(self, epochs):
        self.epochs = epochs

    def say(self, line):
        """Nothing."""

    def progress(self, stage, done, total):
        if stage.endswith("epochs") and done == self.epochs:
            raise Killed


def test_a_killed_run_goes_on_to_the_same_bits_and_the_same_curves(learn, monkeypatch, tmp_path):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    options = {"epochs": 3}
    whole = learn("simclr", options=options, cache=False)
    with pytest.raises(Killed):
        learn("simclr", options=options, listener=Ended(1))
    assert list((tmp_path / "cache" / "runs").iterdir())
    again = learn("simclr", options=options)
    assert again.backbone.fingerprint == whole.backbone.fingerprint
    assert json.dumps(again.made.facts["curves"]) == json.dumps(whole.made.facts["curves"])
    assert not list((tmp_path / "cache" / "runs").iterdir())


def test_the_backbone_that_is_given_stays_as_it_is_and_all_of_its_copy_moves(learn):
    before = load(RESNET)
    made = learn("simclr", cache=False).backbone
    after = load(RESNET)
    assert before.fingerprint == after.fingerprint
    old, new = before.module.state_dict(), made.module.state_dict()
    assert old.keys() == new.keys()
    assert all(not torch.equal(old[name], new[name]) for name in old if "num_batches" not in name)
