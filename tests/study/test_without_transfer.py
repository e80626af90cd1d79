"""Who is kept where transfer does not help, who where it does, and what the evidence, the page and the file say."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from demo_data import emoji_folder, rated_sentences
from long_texts import long_reviews
from PIL import Image
from sklearn.datasets import load_digits

import headstart as hs
from headstart.data.arrays import as_task
from headstart.evidence.assess import Gain
from headstart.evidence.evidence import Evidence
from headstart.evidence.page import headline
from headstart.features.feature_set import glance
from headstart.listener import LOGGED
from headstart.methods.plan import Plan
from headstart.study.contenders import answer_cache
from headstart.study.untransferred import Untransferred
from headstart.study.without_transfer import less_lost, without_transfer
from headstart.tasks.goal import Goal
from headstart.transfer import Transfer

NOT_USED = "transfer does not help here; the saved model does not use it"


@pytest.fixture(scope="module")
def long_model():
    """The default method on long reviews, as MiniLM puts out what it reads of them."""
    return hs.fit(long_reviews(), backbone="bundled:minilm", control=False)


@pytest.mark.slow
def test_long_reviews_are_answered_by_their_words(long_model, tmp_path, preloaded):
    evidence = long_model.evidence_
    assert (long_model.model_.method, long_model.model_.backbone) == ("no-transfer", None)
    assert headline(evidence).endswith(NOT_USED)
    assert "with transfer (probe)" in headline(evidence)
    assert evidence.verdict == "does not help"
    assert (evidence.gain.over, evidence.facts.instead.method) == ("probe", "probe")
    assert evidence.gain.low > 0
    assert evidence.metrics["accuracy"].value > evidence.baselines["probe"]["accuracy"].value
    assert "no-transfer" not in evidence.baselines
    assert any(note.startswith("Kept without transfer: the training rows") for note in evidence.notes)
    record = json.loads(json.dumps(evidence.to_json(), allow_nan=False))
    assert record["about"]["instead_of"] == evidence.facts.instead._asdict()
    assert record["gain"]["over"] == "probe"
    assert str(Evidence.from_json(record)) == str(evidence)
    folder = long_model.save(tmp_path / "model")
    assert not [name for name in (folder / "config.json", folder / "README.md") if not name.exists()]
    texts = long_reviews()["text"].tolist()[:20]
    ask = "import sys, numpy as np; from headstart import Transfer; "
    ask += "np.save(sys.argv[2], Transfer.load(sys.argv[1]).predict_proba(sys.argv[3:]))"
    preloaded.checked(ask, folder, tmp_path / "answers.npy", *texts)
    np.testing.assert_array_equal(np.load(tmp_path / "answers.npy"), long_model.predict_proba(texts))
    again = hs.evaluate(Transfer.load(folder), long_reviews().query("split == 'test'").drop(columns="split"))
    assert again.metrics["accuracy"].value == pytest.approx(evidence.metrics["accuracy"].value)


@pytest.mark.slow
def test_the_rows_that_are_tested_have_no_part_in_it(long_model):
    """With other answers to them the same model is kept, though they now speak for nobody."""
    table = long_reviews().copy()
    tested = table["split"] == "test"
    table.loc[tested, "label"] = np.random.default_rng(0).permutation(table.loc[tested, "label"].to_numpy())
    made = hs.fit(table, backbone="bundled:minilm", control=False)
    assert made.model_.method == "no-transfer"
    np.testing.assert_array_equal(
        made.model_.head.arrays["weight.0"], long_model.model_.head.arrays["weight.0"], strict=True
    )


@pytest.mark.slow
@pytest.mark.parametrize("flag", ["keep_transfer", "keep_tuned"])
def test_who_asks_for_it_keeps_transfer_and_reads_that_it_hurts(flag):
    made = hs.fit(long_reviews(), backbone="bundled:minilm", control=False, **{flag: True})
    assert made.model_.method == "probe"
    assert made.evidence_.facts.instead is None
    assert (made.evidence_.gain.over, made.evidence_.verdict) == ("no-transfer", "hurts")


def test_short_sentences_keep_transfer():
    rows = [(text, rating) for _, rating, text in rated_sentences("amazon") if abs(rating) >= 0.5][:600]
    table = pd.DataFrame(rows, columns=["text", "label"])
    table["label"] = np.where(table["label"] > 0, "good", "bad")
    made = hs.fit(table, control=False)
    assert made.model_.method == "probe"
    assert made.evidence_.verdict == "helps"


@pytest.mark.slow
def test_emoji_keep_transfer(tmp_path):
    folder = emoji_folder(tmp_path / "emoji", at_least=35, at_most=35)
    made = hs.fit(folder, backbone="bundled:efficientnet-lite0", control=False)
    assert made.model_.method == "probe"
    assert made.evidence_.gain.value > 0


@pytest.mark.slow
def test_digits_are_answered_by_how_they_look(tmp_path):
    images, codes = load_digits(return_X_y=True)
    for row in np.random.default_rng(0).permutation(len(codes))[:800]:
        pixels = np.kron(images[row].reshape(8, 8) * 255 / 16, np.ones((4, 4))).astype(np.uint8)
        folder = tmp_path / "digits" / str(codes[row])
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / f"{row}.png")
    made = hs.fit(tmp_path / "digits", backbone="bundled:mobilenetv2", control=False)
    assert made.model_.method == "no-transfer"
    assert headline(made.evidence_).endswith(NOT_USED)
    again = Transfer.load(made.save(tmp_path / "model"))
    pictures = sorted(map(str, (tmp_path / "digits").rglob("*.png")))[::90]
    np.testing.assert_array_equal(again.predict_proba(pictures), made.predict_proba(pictures))
    assert hs.predict(again, pictures).values.tolist() == made.predict_proba(pictures).tolist()


def rows_of(targets, kind, groups=None):
    task = as_task([f"text {row}" for row in range(len(targets))], targets, kind=kind, group=groups)
    return glance(task, Transfer(cache=False).extraction(), LOGGED)


def test_what_is_lost_less_is_counted_row_by_row():
    """Against the same by hand: of the log loss, and of the wrong answers."""
    rng = np.random.default_rng(0)
    targets = np.arange(200) % 2
    transferred, plain = (np.eye(2)[targets] + rng.normal(size=(200, 2)) for _ in range(2))
    rows = rows_of([str(code) for code in targets], "classification")
    less = less_lost(rows, Plan(goal=Goal("accuracy")), transferred=transferred, plain=plain)
    wrong = [(out.argmax(axis=1) != targets).astype(float) for out in (transferred, plain)]
    difference = wrong[0] - wrong[1]
    assert less.aimed == pytest.approx((difference.mean(), difference.std() / np.sqrt(200)))
    assert not less_lost(rows, Plan(goal=Goal("accuracy")), transferred=plain, plain=plain).better
    sure = np.where(targets[:, None] == [0, 1], 2.0, -2.0) + rng.normal(size=(200, 2))
    assert less_lost(rows, Plan(goal=Goal("accuracy")), transferred=plain, plain=sure).better
    assert not less_lost(rows, Plan(goal=Goal("accuracy")), transferred=sure, plain=plain).better


def test_rows_of_one_group_are_one_witness():
    rng = np.random.default_rng(1)
    values = np.repeat(rng.normal(size=10), 20)
    groups = np.repeat(np.arange(10), 20)
    plain, transferred = values[:, None] + 0.0, values[:, None] + np.repeat(rng.normal(size=10), 20)[:, None]
    alone = less_lost(rows_of(values, "regression"), Plan(), transferred=transferred, plain=plain)
    grouped = less_lost(rows_of(values, "regression", groups), Plan(), transferred=transferred, plain=plain)
    assert grouped.own[0] == pytest.approx(alone.own[0])
    assert grouped.own[1] > 3 * alone.own[1]
    assert alone.aimed == alone.own


class Stub(NamedTuple):
    """What was fitted, and nothing out of fold."""

    out_of_fold: None = None


def test_where_nothing_was_held_out_in_training_only_a_verdict_of_the_test_counts():
    rows = rows_of(["a", "b"] * 20, "classification")
    how = (Transfer(cache=False).extraction(), LOGGED)
    plain = without_transfer(rows, Plan(goal=Goal("accuracy")), how, Untransferred(Plan(), answer_cache(*how)))
    assert plain is not None

    def against(low, high):
        gains = {"no-transfer": Gain("accuracy", "no-transfer", (low + high) / 2, low, high)}
        return plain.against(gains, Stub(), np.arange(40))

    assert "looked at once more" in against(-0.3, -0.1)
    assert against(-0.3, 0.1) == against(0.1, 0.3) == ""
    assert without_transfer(rows, Plan("no-transfer"), how, Untransferred(Plan(), answer_cache(*how))) is None
    assert without_transfer(rows, Plan(keep_transfer=True), how, Untransferred(Plan(), answer_cache(*how))) is None


@pytest.mark.slow
def test_where_the_tested_rows_speak_for_transfer_it_is_said(long_model):
    evidence = long_model.evidence_
    gain = evidence.gain._replace(value=-0.2, low=-0.3, high=-0.1)
    gains = evidence.assessment.gains | {"probe": gain}
    assessment = evidence.assessment._replace(gains=gains).without_transfer("probe")
    assert assessment.verdict == "helps"
    words = headline(replace(evidence, assessment=assessment))
    assert words.endswith("the rows to test on speak for it; the saved model does not use it")
