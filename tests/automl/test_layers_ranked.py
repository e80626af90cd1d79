"""Layers and poolings as candidates: one pass, the same scores as each alone, and a winner that `fit` can use."""

from __future__ import annotations

import pandas as pd
import pytest
import torch
from phrases import words

from headstart import Transfer
from headstart.automl import rank
from headstart.automl.candidates import trunks_for
from headstart.automl.passes import Pass, candidates_of
from headstart.backbones.layers import WHOLE
from headstart.backbones.load import load
from headstart.data.read import read
from headstart.errors import BackboneError
from headstart.features.cache.cache import Cache
from headstart.features.extract import extract
from headstart.features.extraction import Extraction
from headstart.listener import Logged
from headstart.tasks import IMAGE, TEXT

PLAIN = Extraction(engine="torch", thumbs=False)
VIT = "timm:test_vit"
FEW = [f"{VIT}@{layer}?weights=random" for layer in (1, 3)] + [f"{VIT}?weights=random", f"{VIT}@2@cls?weights=random"]


def pictures() -> pd.DataFrame:
    """Of 40 rows of noise in one of two colours."""
    from PIL import Image

    rows = []
    for row in range(40):
        noise = torch.randint(0, 80, (32, 32, 3), generator=torch.Generator().manual_seed(row)).byte().numpy()
        noise[..., row % 2] += 120
        rows.append((Image.fromarray(noise), f"colour {row % 2}"))
    return pd.DataFrame(rows, columns=["image", "label"])


def test_candidates_of_one_backbone_are_one_trunk():
    trunks, left_out = trunks_for(IMAGE, [*FEW, f"{VIT}?weights=random&seed=1"])
    assert [list(trunk.reads) for trunk in trunks] == [FEW, [f"{VIT}?weights=random&seed=1"]]
    assert left_out == ()
    assert trunks[0].reads[FEW[2]] == WHOLE
    assert trunks[0].backbone_of([FEW[0]]).fingerprint == load(FEW[0]).fingerprint
    assert trunks[0].backbone_of([FEW[2]]).fingerprint == load(FEW[2]).fingerprint


def test_features_of_one_pass_are_those_of_each(monkeypatch):
    [trunk], _ = trunks_for(IMAGE, FEW)
    inputs = pictures()["image"].tolist()
    task = read(pictures())
    running = Pass(trunk, candidates_of(trunk), task, PLAIN, Logged())
    running.grow(torch.arange(10).numpy())
    running.keep({FEW[0], FEW[3]})
    running.grow(torch.arange(20).numpy())
    for candidate in running.candidates:
        alone = extract(inputs[:20], load(candidate.name), PLAIN).values
        assert list(candidate.rows) == list(range(20))
        for row, values in candidate.rows.items():
            assert abs(values - alone[row]).max() <= 1e-4 * abs(alone).max()


def test_every_layer_by_a_star():
    [trunk], left_out = trunks_for(TEXT, ["bundled:minilm@*"])
    assert list(trunk.reads) == [f"bundled:minilm@{number}" for number in range(7)]
    assert left_out == ()
    [trunk], left_out = trunks_for(TEXT, ["bundled:minilm", "bundled:minilm@*", "bundled:minilm@mean"])
    assert list(trunk.reads) == ["bundled:minilm", *(f"bundled:minilm@{number}" for number in range(6))]
    assert [(item.name, item.why) for item in left_out] == [
        ("bundled:minilm@6", "its features are those of bundled:minilm"),
        ("bundled:minilm@mean", "its features are those of bundled:minilm"),
    ]
    [trunk], _ = trunks_for(IMAGE, [f"{VIT}@*@max?weights=random"])
    assert list(trunk.reads)[2] == f"{VIT}@2@max?weights=random"


def test_a_layer_that_there_is_not_leaves_the_others():
    [trunk], left_out = trunks_for(TEXT, ["bundled:wordllama", "bundled:wordllama@7", "bundled:wordllama@max"])
    assert list(trunk.reads) == ["bundled:wordllama", "bundled:wordllama@max"]
    assert [item.name for item in left_out] == ["bundled:wordllama@7"]
    assert left_out[0].why.startswith("bundled:wordllama: no layer '7'. Its layers: 0 (all).")


def test_the_winner_is_a_backbone_that_can_be_fitted():
    data = words(frames=("a {}", "the old {}"))
    ranking = rank(data, ["bundled:wordllama@max", "bundled:wordllama", "bundled:wordllama@7"], extraction=PLAIN)
    assert {place.name for place in ranking.places} == {"bundled:wordllama@max", "bundled:wordllama"}
    assert [item.name for item in ranking.left_out] == ["bundled:wordllama@7"]
    model = Transfer(ranking.winner, "ridge").fit(data["text"].tolist(), data["label"].tolist())
    assert (model.predict(data["text"].tolist()) == data["label"]).mean() > 0.8


def test_a_second_ranking_comes_from_the_cache_and_fit_finds_the_features_of_a_single_winner(tmp_path):
    kept = Extraction(engine="torch", thumbs=False, cache=Cache(tmp_path))
    data = words(frames=("a {}",))
    first, second = (rank(data, ["bundled:wordllama@max", "bundled:wordllama"], extraction=kept) for _ in range(2))
    assert [place.score for place in first.places] == [place.score for place in second.places]
    rank(data, ["bundled:wordllama@max"], extraction=kept)
    assert extract(data["text"].tolist(), load("bundled:wordllama@max"), kept).computed == 0


def test_a_candidate_that_fails_on_the_way_is_left_out(monkeypatch):
    data = words(frames=("a {}",))
    grow = Pass.grow

    def failing(self, positions):
        if self.trunk.backbone.name == "bundled:minilm":
            raise BackboneError("the device has no memory left")
        grow(self, positions)

    monkeypatch.setattr(Pass, "grow", failing)
    ranking = rank(data, ["bundled:minilm@1", "bundled:minilm", "bundled:wordllama"], extraction=PLAIN)
    assert [place.name for place in ranking.places] == ["bundled:wordllama"]
    assert [item.name for item in ranking.left_out] == ["bundled:minilm@1", "bundled:minilm"]
    with pytest.raises(BackboneError, match=r"none of the candidates can be used\. bundled:minilm: the device has no"):
        rank(data, ["bundled:minilm"], extraction=PLAIN)


@pytest.mark.slow
def test_an_interrupt_says_who_leads_and_leaves_what_was_computed(tmp_path, monkeypatch):
    kept = Extraction(engine="torch", thumbs=False, cache=Cache(tmp_path))
    data, said = words(), []

    class Told(Logged):
        def say(self, line: str) -> None:
            said.append(line)

    grow = Pass.grow

    def stopped(self, positions):
        if len(positions) > 200:
            raise KeyboardInterrupt
        grow(self, positions)

    names = [f"bundled:wordllama?weights=random&seed={seed}" for seed in (1, 2)]
    with monkeypatch.context() as patch:
        patch.setattr(Pass, "grow", stopped)
        with pytest.raises(KeyboardInterrupt):
            rank(data, names, extraction=kept, listener=Told())
    assert said[-1].startswith("  interrupted: so far bundled:wordllama?weights=random&seed=")
    assert said[-1].endswith("leads, on 200 rows")
    ranking = rank(data, names, extraction=kept)
    assert ranking.places[0].rows == len(data)
