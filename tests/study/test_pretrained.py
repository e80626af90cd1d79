"""What `fit` says of a pretraining: over what it began from, and over random weights."""

from __future__ import annotations

import shutil

import pytest
import timm
import torch
from small import RESNET, bright

from headstart import fit, pretrain
from headstart.study.pretrained import BEFORE, began_from


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """A folder of 36 pictures of three classes, each with a brighter channel."""
    folder = tmp_path_factory.mktemp("labelled")
    for row in range(36):
        place = folder / ("test" if row % 4 == 3 else "train") / "abc"[row % 3]  # one trial in place of fifteen
        place.mkdir(parents=True, exist_ok=True)
        bright(row, 32).save(place / f"{row}.png")
    return folder


@pytest.fixture
def given(tmp_path):
    """A network in timm's format, which can be begun from."""
    torch.manual_seed(0)
    model = timm.create_model("test_resnet", num_classes=7)
    timm.models.save_for_hf(model, tmp_path / "given", model_config={"num_classes": 7}, safe_serialization=True)
    return tmp_path / "given"


def pretrained(labelled, backbone, out):
    options = {"epochs": 1, "size": 32, "batch": 12}
    pretrain(labelled, backbone=backbone, options=options, out=out, cache=False)
    return f"file:{out}"


def test_fit_says_what_the_pretraining_was_worth_over_what_it_began_from(labelled, given, tmp_path):
    name = pretrained(labelled, f"file:{given}", tmp_path / "mine")
    evidence = fit(labelled, backbone=name, method="prototypes", engine="torch", cache=False).evidence_
    assert {BEFORE, "random-weights"} <= evidence.baselines.keys()
    words = f"Pretraining by simclr, over file:{given}, from which it began: accuracy"
    said = [note for note in evidence.notes if note.startswith("Pretraining by simclr, over")]
    assert [note.replace("_", " ").startswith(start) for note, start in zip(said, (words, "Pretraining"), strict=True)]
    assert "over random weights" in said[1]
    assert all(note.endswith(("helps.", "hurts.", "whether it helps.")) for note in said)


def test_with_a_source_it_is_said_too(labelled, given, tmp_path):
    name = pretrained(labelled, f"file:{given}", tmp_path / "mine")
    source = tmp_path / "source"
    for row in range(36, 66):
        (source / "abc"[row % 3]).mkdir(parents=True, exist_ok=True)
        bright(row, 32).save(source / "abc"[row % 3] / f"{row}.png")
    evidence = fit(labelled, source=source, backbone=name, method="pooled", engine="torch", cache=False).evidence_
    assert {BEFORE, "random-weights", "no-transfer", "source-only"} <= evidence.baselines.keys()
    words = [note.partition("from which it began: ")[2] for note in evidence.notes if f"over file:{given}" in note]
    assert len(words) == 1
    assert words[0].startswith("accuracy")


def test_of_random_weights_there_is_one_comparison_with_random_weights(labelled, tmp_path):
    name = pretrained(labelled, RESNET, tmp_path / "mine")
    assert began_from(name).backbone is None
    evidence = fit(labelled, backbone=name, method="prototypes", engine="torch", cache=False).evidence_
    assert BEFORE not in evidence.baselines
    said = [note for note in evidence.notes if note.startswith("Pretraining by simclr")]
    assert len(said) == 1
    assert "over random weights" in said[0]


def test_what_is_gone_or_changed_is_said(labelled, given, tmp_path):
    name = pretrained(labelled, f"file:{given}", tmp_path / "mine")
    torch.manual_seed(1)
    model = timm.create_model("test_resnet", num_classes=7)
    timm.models.save_for_hf(model, given, model_config={"num_classes": 7}, safe_serialization=True)
    assert began_from(name).why == "its weights are others here than those that it began from"
    shutil.rmtree(given)
    assert began_from(name).why.startswith("it cannot be loaded here (")
    evidence = fit(labelled, backbone=name, method="prototypes", engine="torch", cache=False).evidence_
    assert any(f"is not judged over file:{given}, from which it began" in note for note in evidence.notes)


def test_other_backbones_began_from_nothing(given):
    assert [began_from(name) for name in (None, RESNET, "bundled:minilm", f"file:{given}")] == [None] * 4
