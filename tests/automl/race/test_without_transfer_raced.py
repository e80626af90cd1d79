"""The model without transfer as a candidate like any other: where it wins the race, it is what is saved."""

from __future__ import annotations

import numpy as np
import pytest
from long_texts import long_reviews

from headstart import Transfer
from headstart.automl.race.fit import fit_within
from headstart.evidence.page import headline

NOT_USED = "transfer does not help here; the saved model does not use it"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("race")


@pytest.fixture(scope="module")
def one():
    """The probe on word vectors that know nothing, and what reuses nothing."""
    return {"budget": "1h", "candidates": ["bundled:wordllama?weights=random"], "methods": []}


@pytest.fixture(scope="module")
def raced(folder, one):
    """Long reviews, whose words tell more."""
    return fit_within(long_reviews(), folder=folder, **one)


def test_where_it_wins_it_is_saved_and_the_verdict_says_so(raced, tmp_path):
    evidence = raced.evidence_
    assert evidence.facts.race.winner == "no-transfer"
    assert (raced.model_.method, raced.model_.backbone) == ("no-transfer", None)
    assert headline(evidence).endswith(NOT_USED)
    assert evidence.verdict == "does not help"
    assert (evidence.gain.over, evidence.facts.instead.method) == ("probe", "probe")
    assert evidence.metrics["accuracy"].value > evidence.baselines["probe"]["accuracy"].value
    assert any("in the race the training rows" in note for note in evidence.notes)
    loaded = Transfer.load(raced.save(tmp_path / "model"))
    texts = long_reviews()["text"].tolist()[:20]
    np.testing.assert_array_equal(loaded.predict_proba(texts), raced.predict_proba(texts))
    assert headline(loaded.evidence_) == headline(evidence)


@pytest.mark.slow
def test_who_asks_for_transfer_keeps_it(raced, folder, one):
    made = fit_within(long_reviews(), folder=folder, keep_transfer=True, **one)
    race, probe = made.evidence_.facts.race, f"probe on {one['candidates'][0]}"
    assert (race.winner, made.model_.method) == (probe, "probe")
    assert {trial.name for trial in race.trials} == {probe}
    assert made.evidence_.verdict == "hurts"


@pytest.mark.slow
def test_behind_the_window_of_minilm_itself(tmp_path):
    made = fit_within(long_reviews(), budget="1h", candidates=["bundled:minilm"], methods=[], folder=tmp_path)
    assert (made.evidence_.facts.race.winner, made.model_.method) == ("no-transfer", "no-transfer")
    assert made.evidence_.verdict == "does not help"
    assert headline(made.evidence_).endswith(NOT_USED)
