"""By which scores candidates are ranked, and how far one is behind another."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris

from headstart.automl import difference, knn, leave_one_out, logme
from headstart.automl.measures import RANKING, compared, measure_in_words, require_score
from headstart.tasks import CLASSIFICATION, REGRESSION
from headstart.tasks.kind import kind_named

CLASSES, VALUES = kind_named(CLASSIFICATION), kind_named(REGRESSION)


@pytest.fixture(scope="module")
def flowers():
    features, labels = load_iris(return_X_y=True)
    noise = np.random.default_rng(0).normal(size=(150, 6))
    return {"noise": noise, "all": features, "sepals": features[:, [0, 1]]}, labels


@pytest.mark.parametrize("score", RANKING)
def test_each_score_puts_features_before_noise(flowers, score):
    features, labels = flowers
    order = compared(score, features, labels, np.arange(150), CLASSES)
    assert order[0][0] == "all"
    assert order[0][2] == (0, 0, 0)
    for name, value, behind in order:
        assert value.low <= value.value <= value.high
        assert behind.value == pytest.approx(order[0][1].value - value.value, abs=1e-9), name
    assert {name: behind.low > 0 for name, _, behind in order}["noise"]


@pytest.mark.slow
def test_values_are_those_of_the_scores(flowers):
    features, labels = flowers
    groups = np.arange(150) // 3
    for score, function in (("knn", knn), ("logme", logme)):
        for name, value, _ in compared(score, features, labels, groups, CLASSES):
            assert value.value == pytest.approx(function(features[name], labels))
    for name, value, _ in compared("leave-one-out", features, labels, groups, CLASSES):
        assert value.value == pytest.approx(leave_one_out(features[name], labels, groups=groups))
    best, *others = compared("logme", features, labels, groups, CLASSES)
    for name, _, behind in others:
        assert behind == difference(logme, features[best[0]], features[name], labels)


def test_values_as_targets():
    pixels = load_digits(return_X_y=True)[0][:200]
    features = {"others": pixels[:, :36], "noise": np.random.default_rng(0).normal(size=(200, 36))}
    for score in ("leave-one-out", "logme", "knn"):
        assert compared(score, features, pixels[:, 42], np.arange(200), VALUES)[0][0] == "others"
    assert [measure_in_words(score, VALUES) for score in ("leave-one-out", "knn", "logme")] == ["R2", "knn R2", "logme"]


def test_what_is_refused():
    with pytest.raises(ValueError, match=r"score = 'logmee': expected one of leave-one-out, .*; nearest: logme"):
        require_score("logmee", CLASSES)
    with pytest.raises(ValueError, match="score = 'leep': expected one of"):
        require_score("leep", CLASSES)
    with pytest.raises(
        ValueError, match="'gbc' is defined for classification, not for 'regression': use leave-one-out"
    ):
        require_score("gbc", VALUES)
