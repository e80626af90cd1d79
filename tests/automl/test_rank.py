"""Ranking real backbones on real words and digits: who wins, when it stops, and what cannot be told apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from phrases import words
from PIL import Image
from sklearn.datasets import load_digits

from headstart.automl import leave_one_out, rank
from headstart.automl.candidates import trunks_for
from headstart.automl.ranking import Place, Ranking
from headstart.automl.sample import stratified_order
from headstart.backbones.load import load
from headstart.errors import BackboneError, DataError
from headstart.evidence.intervals import Interval
from headstart.features.extraction import Extraction
from headstart.heads.standardize import standard
from headstart.tasks import CLASSIFICATION, IMAGE, REGRESSION, TABLE, TEXT, Task

PLAIN = Extraction(engine="torch", thumbs=False)
WORDS, DRAWN = "bundled:wordllama", "bundled:wordllama?weights=random"


def task_of(targets, **options):
    inputs = [f"text {number}" for number in range(len(targets))]
    kind = options.pop("kind", CLASSIFICATION)
    classes = () if kind == REGRESSION else tuple(range(int(np.max(targets)) + 1))
    return Task(inputs=inputs, targets=np.asarray(targets), kind=kind, modality=TEXT, classes=classes, **options)


def test_every_beginning_of_the_order_is_stratified():
    targets = np.repeat([0, 1, 2, 3], [600, 300, 99, 1])
    order = stratified_order(task_of(targets), seed=0)
    assert sorted(order) == list(range(1000))
    for size in (50, 200, 500):
        counts = np.bincount(targets[order[:size]], minlength=4)
        np.testing.assert_allclose(counts, [0.6 * size, 0.3 * size, 0.099 * size, 1], atol=3)
    assert set(targets[order[:7]]) == {0, 1, 2, 3}
    np.testing.assert_array_equal(order, stratified_order(task_of(targets), seed=0))
    assert (order != stratified_order(task_of(targets), seed=1)).any()


def test_values_are_spread_and_test_rows_and_rows_without_a_target_are_left_out():
    values = np.random.default_rng(0).exponential(size=500)
    values[3] = np.nan
    split = np.where(np.arange(500) % 5 == 0, "test", "train")
    order = stratified_order(task_of(values, kind=REGRESSION, split=split), seed=0)
    assert sorted(order) == [row for row in range(500) if row % 5 and row != 3]
    assert abs(np.median(values[order[:80]]) - np.nanmedian(values)) < 0.15


def test_pretrained_words_beat_drawn_ones_after_few_rows():
    ranking = rank(words(), [DRAWN, WORDS], extraction=PLAIN)
    assert ranking.winner == WORDS
    assert ranking.level == ()
    assert [place.rows for place in ranking.places] == [200, 200]
    assert ranking.places[1].behind.low > 0
    assert ranking.verdict == "bundled:wordllama is best; on 200 rows it is told from every other"
    assert ranking.available == len(words())
    assert "behind the best" in str(ranking)
    assert DRAWN in str(ranking)


def test_the_score_is_that_of_the_features_as_heads_scale_them():
    data = words(frames=("a {}", "the {}"))
    [place] = rank(data, [WORDS], extraction=PLAIN).places
    from headstart.features.extract import extract

    values = extract(data["text"].tolist(), load(WORDS), PLAIN).values
    scaled = standard(values, np.arange(len(data)), np.ones(len(data)), "shared").apply(values)
    assert place.score.value == pytest.approx(leave_one_out(scaled, data["label"], groups=data["group"]), abs=1e-6)
    assert place.rows == len(data)
    assert place.behind == (0, 0, 0)


@pytest.mark.slow
def test_candidates_that_are_alike_use_all_rows_and_are_level(tmp_path):
    data = words()
    same = [f"{WORDS}?weights=random&seed={seed}" for seed in (1, 2, 3)]
    ranking = rank(data, [WORDS, *same], extraction=PLAIN)
    assert ranking.winner == WORDS
    drawn = rank(data, same, extraction=PLAIN)
    assert drawn.places[0].rows == len(data)
    assert len(drawn.level) >= 1
    assert drawn.verdict.startswith(f"{drawn.winner} leads, but cannot be told from ")
    assert rank(data, same, most=250, extraction=PLAIN).places[0].rows == 250


def test_copies_and_rows_of_a_group_do_not_answer_each_other():
    data = words(frames=("a {}",)).drop(columns="group")
    once, twice = (rank(rows, [DRAWN], extraction=PLAIN).places[0] for rows in (data, pd.concat([data, data])))
    assert twice.score.value == pytest.approx(once.score.value, abs=0.02)
    assert twice.score.high - twice.score.low > 0.8 * (once.score.high - once.score.low)
    data = words()
    apart, together = (rank(rows, [DRAWN], extraction=PLAIN).places[0] for rows in (data.drop(columns="group"), data))
    assert apart.score.value > together.score.value + 0.2


def test_values():
    data = words()
    data["label"] = data["text"].str.len() + np.random.default_rng(0).normal(size=len(data))
    ranking = rank(data, [WORDS, DRAWN], extraction=PLAIN)
    assert ranking.measure == "R2"
    assert {place.name for place in ranking.places} == {WORDS, DRAWN}
    assert all(-1 < place.score.value < 1 for place in ranking.places)


def test_pictures_of_a_folder(tmp_path):
    pixels, labels = load_digits(return_X_y=True)
    for row in range(60):
        folder = tmp_path / str(labels[row] % 3)
        folder.mkdir(exist_ok=True)
        Image.fromarray((pixels[row].reshape(8, 8) * 15).astype(np.uint8)).resize((32, 32)).save(folder / f"{row}.png")
    names = ["timm:test_vit?weights=random", "timm:test_vit?weights=random&seed=1"]
    ranking = rank(str(tmp_path), names, extraction=PLAIN)
    assert ranking.places[0].rows == 60
    assert ranking.winner in names
    assert ranking.to_json()["places"][0]["name"] == ranking.winner


def test_what_is_on_the_machine():
    trunks, left_out = trunks_for(TEXT, None)
    assert [trunk.backbone.name for trunk in trunks] == ["bundled:minilm", WORDS]
    assert left_out == ()
    trunks, left_out = trunks_for(TEXT, [WORDS, "bundled:mobilenetv2", "bundled:wordlama", "file:nowhere"])
    assert [trunk.backbone.name for trunk in trunks] == [WORDS]
    assert [item.name for item in left_out] == ["bundled:mobilenetv2", "bundled:wordlama", "file:nowhere"]
    assert left_out[0].why == "it takes pictures, and these are texts"
    assert "nearest: wordllama" in left_out[1].why


def test_what_is_refused():
    with pytest.raises(BackboneError, match=r"none of the candidates can be used\. bundled:a: .* no such backbone"):
        trunks_for(IMAGE, ["bundled:a", WORDS])
    with pytest.raises(ValueError, match="bundled:wordllama is a candidate twice: name each one once"):
        trunks_for(TEXT, [WORDS, WORDS])
    with pytest.raises(ValueError, match="there is no candidate for texts: name some"):
        trunks_for(TEXT, [])
    with pytest.raises(DataError, match="the features of a table are its columns: there is no backbone to choose"):
        trunks_for(TABLE, None)
    with pytest.raises(ValueError, match="most=1: expected a whole number, 2 or more, such as 1000"):
        rank(words(), most=1)
    several = pd.DataFrame({"text": ["a", "b", "c", "d"], "label": [["x", "y"], ["x"], ["y"], ["x", "y"]]})
    with pytest.raises(DataError, match="kind 'multilabel': ranking needs one class or one value a row"):
        rank(several, [WORDS], kind="multilabel")


def test_rows_that_cannot_be_used(tmp_path):
    nothing = task_of([0, 1, 0, 1], split=np.full(4, "test"))
    with pytest.raises(DataError, match=r"are not of the test split: 0; expected two or more"):
        rank(nothing, [WORDS], extraction=PLAIN)
    for row in range(40):
        (tmp_path / str(row % 2)).mkdir(exist_ok=True)
        colour = tuple(np.random.default_rng(row).integers(0, 255, 3).tolist())
        Image.new("RGB", (32, 32), colour).save(tmp_path / str(row % 2) / f"{row}.png")
    for row in (3, 4):
        (tmp_path / str(row % 2) / f"{row}.png").write_bytes(b"no picture")
    [place] = rank(str(tmp_path), ["timm:test_vit?weights=random"], extraction=PLAIN).places
    assert place.rows == 38


def test_words_of_a_ranking():
    def place(name, behind):
        return Place(name, Interval(-0.5, -0.6, -0.4), behind, 400, 3.0)

    best, near, far = (
        place("a", Interval(0.0, 0.0, 0.0)),
        place("b", Interval(0.1, -0.1, 0.3)),
        place("c", Interval(0.3, 0.2, 0.4)),
    )
    ranking = Ranking(places=(best, near, far), left_out=(), measure="log likelihood", available=900)
    assert ranking.level == ("b",)
    assert ranking.verdict == "a leads, but cannot be told from b on 400 rows"
    assert Ranking(places=(best,), left_out=(), measure="R2", available=9).verdict == "a is the only candidate"
    assert ".300 [.200, .400]" in str(ranking)
    assert "= .100 [-.100, .300]" in str(ranking)
