"""What episodes say: means with intervals, paired gains, a verdict, and a page of 80 columns."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from headstart.meta_learning.evidence import FewShotEvidence, ShotScores, mean_of
from headstart.tasks import CLASSIFICATION, REGRESSION


def test_the_interval_is_that_of_a_mean():
    scores = np.random.default_rng(0).random(50)
    value, low, high = mean_of(scores)
    expected = stats.t.interval(0.95, 49, scores.mean(), stats.sem(scores))
    assert value == pytest.approx(scores.mean())
    assert (low, high) == pytest.approx(expected)
    assert np.isnan(mean_of([0.5]).low)


def evidence(own, others, *, kind=CLASSIFICATION, trained=True, shots=(1, 5)):
    scores = {"protonet": own, "simpleshot": others, "from-scratch": np.zeros(len(own))}
    return FewShotEvidence(
        learner="protonet",
        backbone="timm:resnet18",
        trained=trained,
        over="simpleshot",
        kind=kind,
        way=5 if kind.has_classes else 0,
        query=15,
        episodes=len(own),
        noun="classes",
        units=(("a", "b"), (), tuple("cdefghijkl")),
        shots=tuple(ShotScores.of(shot, scores, kind) for shot in shots),
        notes=("A note that is long enough to need a second line, since eighty columns do not hold all of it.",),
    )


OWN = np.full(40, 0.8) + np.tile([0.01, -0.01], 20)


@pytest.mark.parametrize(
    ("others", "verdict", "words"),
    [
        (OWN - 0.1 + np.tile([0, 0.01], 20), "helps", "meta-training helps"),
        (OWN + 0.1 - np.tile([0, 0.01], 20), "hurts", "meta-training does not help: simpleshot is better"),
        (OWN + np.tile([0.1, 0.1, -0.1, -0.1], 10), "cannot tell", "cannot tell whether meta-training helps"),
    ],
)
def test_the_verdict_is_over_good_features_on_the_same_episodes(others, verdict, words):
    result = evidence(OWN, others)
    assert result.verdicts == {1: verdict, 5: verdict}
    page = str(result)
    assert words in " ".join(page.split())
    assert max(map(len, page.splitlines())) <= 79
    assert "10 classes that nothing was learnt from: c, d, e, f, g, h and 4 more" in " ".join(page.split())
    assert json.loads(json.dumps(result.to_json()))["shots"][0]["verdict"] == verdict


def test_less_error_is_a_gain():
    result = evidence(np.full(20, 1.0) + np.tile([0.1, 0], 10), np.full(20, 2.0), kind=REGRESSION)
    assert result.shots[0].gains["simpleshot"].value == pytest.approx(0.95)
    assert str(result).startswith("1-shot: mean squared error 1.05")


def test_what_trained_nothing_is_not_called_meta_training():
    page = str(evidence(OWN, OWN - 0.1 + np.tile([0, 0.01], 20), trained=False))
    assert "it is better" in " ".join(page.split())
    assert "meta-training" not in page


def test_many_shots_drop_columns_rather_than_break_lines():
    page = str(evidence(OWN, OWN, shots=(1, 2, 3, 5, 10, 20)))
    assert max(map(len, page.splitlines())) <= 79
