"""Each row of the table of pretraining, held to the same demands."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from small import RESNET
from tones import RATE, melody

from headstart import Roles, Transfer, fit, pretrain
from headstart.backbones.load import load
from headstart.pretraining.table import PRETRAINING, row_named
from headstart.tasks import AUDIO, IMAGE, TABLE, TEXT

PICTURES = [name for name, row in PRETRAINING.items() if IMAGE in row.modalities and not row.labelled]
TEXTS = [name for name, row in PRETRAINING.items() if TEXT in row.modalities and not row.labelled]
TABLES = [name for name, row in PRETRAINING.items() if TABLE in row.modalities]
SOUNDS = {"next-sample": "wavenet:2x1-4", "masked-frames": "cbhg:4"}
VIT = "timm:test_vit?weights=random"
SENTENCES = [
    f"{first} {noun} was {word}"
    for first in ("the", "a")
    for noun in ("film", "story")
    for word in ("good", "bad", "dull", "bright", "very good", "not bad")
]


def for_pictures(name):
    """A tiny backbone that suits the method, and options that make it short."""
    options = {"size": 57, "batch": 8}
    if name == "mae":
        return VIT, options | {"size": 0}
    return RESNET, options if name == "rotation" else options | {"hidden": 16}


def melodies():
    """Twelve, each of a pitch of its own, as waves and their rate."""
    rng = np.random.default_rng(0)
    return [(melody(pitch, 0.2, RATE, rng), RATE) for pitch in np.linspace(150, 900, 12)]


def moves_all_and_says_how_it_went(made, before):
    old, new = before.module.state_dict(), made.backbone.module.state_dict()
    assert old.keys() == new.keys()
    learnt = {name for name, weights in before.module.named_parameters()}
    changed = {name for name in learnt if not torch.equal(old[name], new[name])}
    assert len(changed) > 0.8 * len(learnt)
    assert all(bool(weights.isfinite().all()) for weights in new.values())
    curves = made.made.facts["curves"]
    assert [curve["epoch"] for curve in curves] == [1]
    assert all(isinstance(curves[0][name], float) for name in ("loss", "rank", "alignment", "uniformity"))


@pytest.mark.parametrize("name", PICTURES)
def test_a_row_for_pictures_learns(name, learn, monkeypatch):
    backbone, options = for_pictures(name)
    options |= {"epochs": 1}
    monkeypatch.setattr("headstart.pretraining.watch._DIRECTIONS", 0.0)  # a step on few rows shows nothing of collapse
    made = learn(name, backbone=backbone, options=options, cache=False)
    moves_all_and_says_how_it_went(made, load(backbone))


@pytest.mark.parametrize("name", TEXTS)
def test_a_row_for_texts_learns(name, learn, bert):
    options = {"epochs": 1, "batch": 8}
    made = learn(name, SENTENCES, backbone=f"file:{bert}", options=options, cache=False)
    moves_all_and_says_how_it_went(made, load(f"file:{bert}"))


@pytest.mark.parametrize("name", SOUNDS)
def test_a_row_for_sounds_learns(name, learn):
    assert PRETRAINING[name].modalities == (AUDIO,)
    options = {"epochs": 1, "batch": 4, "seconds": 0.1}
    made = learn(name, melodies(), backbone=SOUNDS[name], options=options, cache=False)
    moves_all_and_says_how_it_went(made, load(SOUNDS[name]))


@pytest.mark.parametrize("name", TABLES)
def test_a_row_for_tables_learns_and_fit_begins_with_what_it_made(name, tmp_path):
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(120, 2))
    table = pd.DataFrame(hidden @ rng.normal(size=(2, 6)), columns=list("abcdef"))
    kind = np.where(hidden[:, 0] > 0, "plus", "minus")
    options = {"epochs": 2, "batch": 32}
    made = pretrain(table, method=name, options=options, out=tmp_path / "mine", cache=False)
    curves = made.made.facts["curves"]
    assert curves[1]["loss"] < curves[0]["loss"]
    assert curves[1]["rank"] > 1
    assert curves[1]["alignment"] is None
    roles, name = Roles(target="kind"), f"file:{tmp_path / 'mine'}"
    split = np.where(np.arange(120) % 2, "train", "test")  # one trial in place of fifteen
    fitted = fit(table.assign(kind=kind, split=split), roles=roles, backbone=name, method="logistic", cache=False)
    assert fitted.backbone_.fingerprint == made.backbone.fingerprint
    assert {"random-weights", "no-transfer"} <= fitted.evidence_.baselines.keys()
    assert fitted.evidence_.metrics["accuracy"].value > 0.7
    again = Transfer.load(fitted.save(tmp_path / "model"))
    np.testing.assert_array_equal(again.predict_proba(table), fitted.predict_proba(table))
    with pytest.raises(ValueError, match="has no use with a source: leave it out"):
        fit(table.assign(kind=kind), roles=roles, source=table.assign(kind=kind), backbone=name, cache=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", PRETRAINING)
def test_a_killed_run_of_any_row_goes_on_to_the_same_bits(name, learn, goes_on, bert, by_colour, monkeypatch):
    monkeypatch.setattr("headstart.pretraining.watch._DIRECTIONS", 0.0)  # a step on few rows shows nothing of collapse
    row, rng = PRETRAINING[name], np.random.default_rng(0)
    if row.labelled:
        goes_on(partial(learn, name, by_colour, options={"epochs": 3, "batch": 8}))
    elif TEXT in row.modalities:
        goes_on(partial(learn, name, SENTENCES, backbone=f"file:{bert}", options={"epochs": 2, "batch": 8}))
    elif AUDIO in row.modalities:
        options = {"epochs": 2, "batch": 4, "seconds": 0.1}
        goes_on(partial(learn, name, melodies(), backbone=SOUNDS[name], options=options))
    elif TABLE in row.modalities:
        table = pd.DataFrame(rng.normal(size=(60, 4)), columns=list("abcd"))
        goes_on(partial(learn, name, table, backbone=None, options={"epochs": 2, "batch": 16}))
    else:
        backbone, options = for_pictures(name)
        goes_on(partial(learn, name, backbone=backbone, options=options | {"epochs": 2}))


def test_a_name_that_is_not_there_is_refused_and_the_nearest_named():
    with pytest.raises(ValueError, match="method 'simclr2' is unknown to pretrain; nearest: simclr; expected"):
        row_named("simclr2")


def test_options_are_those_of_the_objective_of_the_views_and_of_the_training():
    options = PRETRAINING["simclr"].options()
    assert {"temperature", "crop", "jitter", "size", "epochs", "lr"} <= options.keys()
    assert not {"mixup", "validation", "views", "seed", "crop"} & PRETRAINING["mlm"].options().keys()
    given = {"temperature": "0.1", "crop": "0.5", "epochs": "3"}
    row = PRETRAINING["simclr"].configured("simclr", given, 5, scratch=True)
    assert (row.objective.temperature, row.variation.crop) == (0.1, 0.5)
    assert (row.training.epochs, row.training.seed, row.training.lr) == (3, 5, 1e-3)
    assert PRETRAINING["simclr"].configured("simclr", {}, 0, scratch=False).training.lr == 1e-4
    with pytest.raises(ValueError, match="method 'simclr' has no option 'temprature'; nearest: temperature; it has"):
        PRETRAINING["simclr"].configured("simclr", {"temprature": 1}, 0, scratch=True)
    with pytest.raises(ValueError, match="batch = 2: rows are compared with the others of a step, expected 4 or more"):
        PRETRAINING["byol"].configured("byol", {"batch": 2}, 0, scratch=True)
