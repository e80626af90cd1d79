"""`fit` without a backbone's name: who is picked, on which rows, and what the evidence says of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from demo_data import rated_sentences

import headstart as hs
from headstart.automl.leave_one_out import leave_one_out_rows
from headstart.automl.pick import CANDIDATES, Picker
from headstart.backbones.load import default
from headstart.data.arrays import as_task
from headstart.data.content import content_keys
from headstart.features.extraction import Extraction
from headstart.features.feature_set import FeatureSet, look
from headstart.heads.standardize import standard
from headstart.listener import LOGGED
from headstart.study import protocol
from headstart.tasks import IMAGE, TEXT

WORDS = "bundled:wordllama"
NOISE = f"{WORDS}?weights=random"
FAST = {"control": False, "keep_transfer": True, "method": "ridge"}


def sentences(rows):
    rated = [(text, rating) for _, rating, text in rated_sentences("amazon") if abs(rating) >= 0.5][:rows]
    table = pd.DataFrame(rated, columns=["text", "label"])
    return table.assign(label=np.where(table["label"] > 0, "good", "bad"))


def views(*features, targets, kind="classification", group=None, weight=None):
    """What candidates with these features would make of the same rows."""
    task = as_task(np.asarray(features[0]), targets, kind=kind, group=group)
    first = look(replace(task, weight=weight), None, Extraction(cache=None), LOGGED)
    return [replace(first, values=np.asarray(values, dtype=np.float32)) for values in features]


@pytest.fixture(scope="module")
def rows():
    """Targets, columns that tell of them, and columns that do not."""
    rng = np.random.default_rng(0)
    targets = np.arange(120) % 3
    telling = np.eye(3)[targets] @ rng.normal(size=(3, 6)) + rng.normal(scale=0.7, size=(120, 6))
    return np.array(list("abc"))[targets], telling, rng.normal(size=(120, 6)), rng.normal(size=(120, 6))


def test_another_is_taken_where_it_is_better(rows):
    targets, telling, noise, other = rows
    choice = Picker().choose(views(noise, other, telling, targets=targets))
    assert choice.taken == 2
    assert choice.gains[2] > 3 * choice.errors[2]
    assert (choice.gains[0], choice.errors[0], choice.rows) == (0.0, 0.0, 120)


def test_the_first_stays_where_they_cannot_be_told_apart(rows):
    targets, telling, noise, other = rows
    for features in ((telling, noise), (telling, telling), (telling, 3 * telling + 1), (noise, other)):
        choice = Picker().choose(views(*features, targets=targets))
        assert choice.taken == 0 or choice.gains[1] > choice.errors[1]
    assert Picker().choose(views(telling, telling, targets=targets)).taken == 0
    assert Picker().choose(views(telling, noise, targets=targets)).taken == 0


def test_of_noise_alone_the_first_mostly_stays():
    rng = np.random.default_rng(1)
    taken = Counter(
        Picker().choose(views(*rng.normal(size=(3, 90, 8)), targets=rng.integers(0, 2, 90).astype(str))).taken > 0
        for _ in range(40)
    )
    assert taken[True] <= 20  # two that are alike in truth; each is above one standard error in about a sixth


def test_values_are_chosen_for_too(rows):
    _, telling, noise, _ = rows
    values = telling[:, 0] + 0.1 * noise[:, 0]
    choice = Picker().choose(views(noise, telling, targets=values, kind="regression"))
    assert (choice.taken, choice.measure) == (1, "R2")


def test_rows_of_one_group_are_one_witness(rows):
    targets, telling, noise, _ = rows
    group = np.argsort(np.argsort(telling[:, 0])) // 12  # alike in what tells
    choice = Picker().choose(views(noise, telling, targets=targets, group=group))
    scaled = [standard(each, np.arange(120), np.ones(120), "shared").apply(each) for each in (noise, telling)]
    one, other = (leave_one_out_rows(each, targets, groups=group) for each in scaled)
    apart = other - one - (other - one).mean()
    by_group = np.array([apart[group == number].sum() for number in range(10)])
    assert choice.gains[1] == pytest.approx((other - one).mean(), rel=1e-4)
    assert choice.errors[1] == pytest.approx(np.sqrt(np.sum(by_group**2)) / 120, rel=1e-4)
    assert choice.errors[1] != pytest.approx(apart.std() / np.sqrt(120), rel=0.1)  # as if each row were by itself


def test_rows_without_weight_are_not_looked_at(rows):
    targets, telling, noise, _ = rows
    weight = (np.arange(120) < 60).astype(float)
    weighted = Picker().choose(views(noise, telling, targets=targets, weight=weight))
    cut = Picker().choose(views(noise[:60], telling[:60], targets=targets[:60]))
    assert weighted.rows == 60
    assert weighted.gains == pytest.approx(cut.gains)


def test_where_there_is_one_class_or_one_group_the_first_stays(rows):
    targets, telling, noise, _ = rows
    of_one = [each.take(np.flatnonzero(targets == "a")) for each in views(noise, telling, targets=targets)]
    assert Picker().choose(of_one).gains == (0.0, 0.0)
    assert Picker().choose(views(noise, telling, targets=targets, group=["one"] * 120)).taken == 0


def test_the_first_candidate_is_the_default():
    assert {modality: names[0] for modality, names in CANDIDATES.items()} == {
        modality: default(modality) for modality in (IMAGE, TEXT)
    }


class Watched(Picker):
    """A picker that remembers which rows it looked at."""

    def __init__(self, candidates):
        super().__init__(candidates)
        self.looked: list[set[bytes]] = []

    def choose(self, views: list[FeatureSet]):
        self.looked.append(set(views[0].keys))
        return super().choose(views)


def test_in_cross_validation_each_trial_chooses_on_its_own_rows():
    picker = Watched([NOISE, WORDS])
    model = protocol.fit(sentences(390), chooser=picker, **FAST)
    evidence = model.evidence_
    assert (model.backbone, model.model_.backbone.name) == (WORDS, WORDS)
    assert evidence.facts.model.backbone == WORDS
    sizes = [len(keys) for keys in picker.looked]
    most = max(sizes)
    assert sizes.count(most) == 2  # for the contenders, and for the model that is kept
    assert len(sizes) == 2 + 15  # five folds, three times
    assert all(size == pytest.approx(0.8 * most, abs=4) for size in sizes if size < most)
    note = next(note for note in evidence.notes if note.startswith(f"Backbone {WORDS}, over {NOISE}"))
    assert f"Each trial of the cross-validation chose anew: {WORDS} " in note
    assert "left-out log likelihood" in note


def test_rows_that_are_tested_have_no_part_in_the_choice():
    table = sentences(240)
    tested = np.arange(len(table)) % 3 == 0
    table["split"] = np.where(tested, "test", "train")
    picker = Watched([NOISE, WORDS])
    model = protocol.fit(table, chooser=picker, **FAST)
    assert model.model_.backbone.name == WORDS
    keys = content_keys(table["text"][tested].tolist(), TEXT)
    assert not set(keys) & picker.looked[0]
    assert [len(looked) for looked in picker.looked] == [model.evidence_.n_train]
    other = table.copy()
    other.loc[tested, "label"] = np.random.default_rng(0).permutation(other.loc[tested, "label"])
    again = protocol.fit(other, chooser=Picker([NOISE, WORDS]), **FAST)
    assert again.evidence_.notes == model.evidence_.notes
    np.testing.assert_array_equal(again.predict_proba(table["text"][:9]), model.predict_proba(table["text"][:9]))


def test_it_is_the_same_from_run_to_run_and_as_the_name_that_it_picks():
    table = sentences(450)
    picked = hs.fit(table, candidates=[NOISE, WORDS], **FAST)
    again = hs.fit(table, candidates=[NOISE, WORDS], **FAST)
    named = hs.fit(table, backbone=WORDS, **FAST)
    texts = table["text"].tolist()[:40]
    np.testing.assert_array_equal(picked.predict_proba(texts), again.predict_proba(texts))
    np.testing.assert_array_equal(picked.predict_proba(texts), named.predict_proba(texts))
    assert picked.evidence_.metrics == named.evidence_.metrics
    assert [note for note in picked.evidence_.notes if note not in named.evidence_.notes] == [
        note for note in picked.evidence_.notes if note.startswith("Backbone ")
    ]


def test_a_candidate_that_is_not_here_is_left_out(caplog):
    with caplog.at_level("INFO", logger="headstart"):
        model = hs.fit(sentences(120), candidates=[WORDS, "hf:no/such"], **FAST)
    assert model.model_.backbone.name == WORDS
    assert "backbone hf:no/such is left out" in caplog.text


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"backbone": WORDS}, "backbone 'bundled:wordllama' is named"),
        ({"method": "lp-ft"}, "for a probe without a source"),
        ({"method": "no-transfer"}, "for a probe without a source"),
    ],
)
def test_candidates_that_have_no_use_are_refused(more, words):
    with pytest.raises(ValueError, match=words):
        hs.fit(sentences(40), candidates=[WORDS, NOISE], **more)


def test_columns_have_no_backbone_to_pick():
    with pytest.raises(ValueError, match="the features of a table are its columns"):
        hs.fit(pd.DataFrame({"a": range(40), "label": list("xy") * 20}), candidates=[WORDS])
