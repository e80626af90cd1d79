"""From pictures without labels to a backbone in a folder, and from there to `fit`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import pytest
import torch
from small import RESNET, bright

from headstart.artefact import read_backbone
from headstart.backbones.load import load
from headstart.errors import ArtefactError, BackboneError, DataError, TrainingError
from headstart.pretraining.objective import Learner
from headstart.pretraining.objectives.simclr import SimCLR
from headstart.pretraining.table import PRETRAINING


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


def test_a_killed_run_goes_on_to_the_same_bits_and_the_same_curves(learn, goes_on):
    goes_on(partial(learn, "moco", options={"epochs": 3}))


def test_the_backbone_that_is_given_stays_as_it_is_and_all_of_its_copy_moves(learn):
    before = load(RESNET)
    made = learn("simclr", cache=False).backbone
    after = load(RESNET)
    assert before.fingerprint == after.fingerprint
    old, new = before.module.state_dict(), made.module.state_dict()
    assert old.keys() == new.keys()
    assert all(not torch.equal(old[name], new[name]) for name in old if "num_batches" not in name)


@dataclass(frozen=True, kw_only=True)
class Alike(SimCLR):
    """All embeddings are drawn together, and nothing keeps them apart."""

    advice: ClassVar[str] = "--method simclr"

    def learner(self, encoder, dim):
        return Together()


class Together(Learner):
    def forward(self, rows):
        return rows.features.square().sum(-1).mean() * 100


def test_collapse_is_named_and_stops_the_run_with_what_to_type_instead(learn, monkeypatch):
    monkeypatch.setitem(PRETRAINING, "alike", replace(PRETRAINING["simclr"], objective=Alike()))
    with pytest.raises(TrainingError, match=r"method 'alike' collapsed in epoch \d+: .*lr=\.\.\.\), or --method s"):
        learn("alike", options={"lr": 0.03, "epochs": 30}, cache=False)


def test_labels_are_scored_by_neighbours_and_not_learnt_from(learn, by_colour):
    plain = learn("simclr", by_colour, cache=False)
    scored = learn("simclr", by_colour, labels=True, cache=False)
    assert plain.backbone.fingerprint == scored.backbone.fingerprint
    assert plain.made.facts["curves"][0]["neighbours"] is None
    assert 0 <= scored.made.facts["curves"][0]["neighbours"] <= 1
    said = "labels: method 'simclr' does not learn from them; nearest neighbours are scored by them"
    assert said in scored.made.facts["notes"]


def test_labels_of_another_task_are_learnt(learn, by_colour, tmp_path):
    options = {"epochs": 3, "batch": 8}
    made = learn("supervised", by_colour, options=options, out=tmp_path / "mine", cache=False)
    facts = made.made.facts
    assert made.backbone.fingerprint != load(RESNET).fingerprint
    assert 3 <= facts["held_out"]["rows"] <= 7
    assert all(curve["validation"] > 0 for curve in facts["curves"])
    assert "told by its head: accuracy" in str(made)


@pytest.mark.parametrize(
    ("options", "error", "why"),
    [
        (
            {"method": "mlm"},
            ValueError,
            "method 'mlm' is for texts, and the data are pictures: use simclr, moco, vicreg",
        ),
        ({"method": "mae"}, BackboneError, "is a ResNet, which sees no patches of which some could be left out"),
        ({"method": "jigsaw"}, ValueError, "pictures of 32 pixels are too small to cut"),
        ({"method": "simclr", "backbone": "bundled:minilm"}, BackboneError, "bundled:minilm reads inputs of kind text"),
        (
            {"method": "simclr", "options": {"size": 40}, "backbone": "timm:test_vit?weights=random"},
            ValueError,
            "size = 40: .* does not take pictures of 40 x 40 pixels",
        ),
        ({"method": "supervised"}, DataError, "."),
    ],
)
def test_what_does_not_go_together_is_refused_before_any_work(learn, options, error, why):
    with pytest.raises(error, match=why):
        learn(**options, cache=False)


def test_too_few_different_rows_are_refused(learn, tmp_path):
    for row in range(12):
        bright(row % 3).save(tmp_path / f"{row}.png")
    with pytest.raises(DataError, match=r"3 different pictures are too few to learn .* the other 9 are copies of them"):
        learn("simclr", tmp_path, cache=False)
    with pytest.raises(
        DataError, match="1 different pictures are too few to learn from without labels: give at least 8"
    ):
        learn("simclr", [str(tmp_path / "0.png")], cache=False)


def test_copies_are_left_out_and_counted(learn, tmp_path):
    for row in range(12):
        bright(row % 9).save(tmp_path / f"{row}.png")
    facts = learn("simclr", tmp_path, options={"epochs": 1}, cache=False).made.facts
    assert (facts["rows"], facts["copies"]) == (9, 3)


def test_a_folder_that_is_taken_is_refused_before_any_work(learn, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(ArtefactError, match=r"thesis\.txt"):
        learn("simclr", out=tmp_path / "mine")
