"""Intervals: why not the bootstrap of rows, that they cover, and that a rare class is not lost."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from headstart.automl import (
    bootstrap,
    decompose,
    difference,
    gbc,
    h_score,
    jackknife,
    knn,
    leave_one_out,
    leep,
    logme,
    nce,
    shrunk_h_score,
    transrate,
)
from headstart.automl.intervals import row_groups
from headstart.automl.knn import knn_rows
from headstart.automl.leave_one_out import leave_one_out_rows


def noise(rows=100, columns=30):
    rng = np.random.default_rng(0)
    return rng.normal(size=(rows, columns)), rng.integers(0, 3, rows), rng


def drawn(seed, rows=80, columns=12):
    """Three classes of unequal shares, some of them apart."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(3, rows, p=[0.5, 0.3, 0.2])
    means = np.random.default_rng(99).normal(size=(3, columns)) / 2
    return means[labels] + rng.normal(size=(rows, columns)), labels


def resampled(score, features, labels, rng, draws=20):
    rows = [rng.integers(0, len(labels), len(labels)) for _ in range(draws)]
    return np.mean([score(features[row], labels[row]) for row in rows])


@pytest.mark.parametrize(
    ("score", "rise"),
    [
        (knn, 0.08),
        (leave_one_out, 0.15),
        (logme, 0.04),
        (h_score, 0.25),
        (shrunk_h_score, 0.3),
        (transrate, 15),
        (gbc, 0.5),
    ],
)
def test_a_row_drawn_twice_answers_itself(score, rise):
    """On noise, the bootstrap of rows sees what is not there; rows that are left out do not."""
    features, labels, rng = noise()
    value = score(features, labels)
    assert resampled(score, features, labels, rng) > value + rise
    limits = jackknife(score, features, labels)
    assert limits.value == value
    assert limits.low < value < limits.high
    centre = np.mean(
        [score(np.delete(features, range(g, 100, 20), 0), np.delete(labels, range(g, 100, 20))) for g in range(20)]
    )
    assert abs(centre - value) < rise / 3


@pytest.mark.parametrize("score", [leep, nce])
def test_of_counts_bootstrap_and_jackknife_agree(score):
    features, labels = drawn(0, rows=400)
    p, rng = softmax(features[:, :4], axis=1), np.random.default_rng(0)
    draws = [score(p[row], labels[row]) for row in (rng.integers(0, 400, 400) for _ in range(300))]
    limits = jackknife(score, p, labels)
    assert np.mean(draws) == pytest.approx(limits.value, abs=0.02)
    assert (limits.high - limits.low) / (2 * 2.093) == pytest.approx(np.std(draws), rel=0.5)


@pytest.mark.parametrize("score", [pytest.param(s, marks=pytest.mark.slow) for s in (h_score, logme, leave_one_out)])
def test_jackknife_intervals_cover(score):
    truth = np.mean([score(*drawn(1000 + seed)) for seed in range(100)])
    limits = [jackknife(score, *drawn(seed), groups=10) for seed in range(40)]
    covered = np.mean([interval.low <= truth <= interval.high for interval in limits])
    assert 0.85 <= covered <= 1
    spread = np.std([interval.value for interval in limits])
    width = np.mean([(interval.high - interval.low) / (2 * 2.262) for interval in limits])
    assert 0.7 * spread < width < 1.6 * spread


def test_a_paired_difference_is_narrower_than_two_intervals():
    features, labels = drawn(3, rows=300)
    worse = features + 1.0 * np.random.default_rng(0).normal(size=features.shape)
    gap = difference(logme, features, worse, labels)
    assert gap.value == logme(features, labels) - logme(worse, labels)
    assert gap.low > 0
    whole = jackknife(logme, features, labels)
    assert gap.high - gap.low < 0.8 * (whole.high - whole.low)
    same = difference(logme, features, features.copy(), labels)
    assert same == (0, 0, 0)


def test_regression():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(90, 4))
    y = np.round(x[:, 0] * 5)
    limits = jackknife(lambda a, b: logme(a, b, kind="regression"), x, y, kind="regression")
    assert limits.low < limits.value < limits.high


def test_rows_are_in_groups_of_one_size_and_rare_classes_are_never_left_out_whole():
    labels = np.repeat([0, 1, 2, 3], [100, 2, 3, 1])
    for seed in range(200):
        group = row_groups(labels, "classification", 20, seed)
        assert group[-1] == -1
        assert len(set(group[100:102])) > 1
        assert len(set(group[102:105])) > 1
        assert set(group[:100]) == set(range(20))
        assert np.bincount(group[group >= 0]).max() <= 8
    np.testing.assert_array_equal(np.bincount(row_groups(np.arange(45.0), "regression", 20, 0)), [3] * 5 + [2] * 15)


def test_seeds_and_few_rows():
    features, labels = drawn(0)
    assert jackknife(knn, features, labels, seed=1) == jackknife(knn, features, labels, seed=1)
    assert jackknife(knn, features, labels, seed=1) != jackknife(knn, features, labels, seed=2)
    few = jackknife(logme, features[:6], [0, 0, 0, 1, 1, 1])
    assert few.low < few.value < few.high
    alone = jackknife(logme, features[:3], [0, 1, 2])
    assert np.isnan(alone.low)
    assert alone.value == logme(features[:3], [0, 1, 2])


def test_the_bootstrap_of_terms():
    features, labels = drawn(2, rows=300)
    terms = knn_rows(features, labels)
    limits = bootstrap(terms, highest=1)
    assert limits.value == pytest.approx(knn(features, labels))
    binomial = np.sqrt(limits.value * (1 - limits.value) / 300)
    assert (limits.high - limits.low) / (2 * 1.97) == pytest.approx(binomial, rel=0.15)
    worse = leave_one_out_rows(features[:, :3], labels)
    gap = bootstrap(leave_one_out_rows(features, labels), worse, highest=0)
    assert gap.value == pytest.approx(leave_one_out(features, labels) - worse.mean())
    assert gap.low > 0
    assert bootstrap(terms, terms) == (0, 0, 0)
    assert bootstrap(np.ones(50), highest=1).high == 1 or np.isnan(bootstrap(np.ones(50), highest=1).high)


def test_rows_that_are_drawn_together_count_once():
    terms = np.random.default_rng(0).normal(size=200)
    alone, copies = bootstrap(terms), bootstrap(np.repeat(terms, 5), groups=np.repeat(np.arange(200), 5))
    assert copies.value == pytest.approx(alone.value)
    assert copies.high - copies.low == pytest.approx(alone.high - alone.low)
    assert bootstrap(np.repeat(terms, 5)).high - alone.value < (alone.high - alone.value) / 2
    sizes = bootstrap(np.arange(6.0), groups=["a", "b", "b", "c", "c", "c"])
    assert sizes.value == 2.5


def test_what_is_refused():
    features, labels = drawn(0)
    with pytest.raises(ValueError, match="groups=1: expected a whole number, 2 or more, such as 20"):
        jackknife(logme, features, labels, groups=1)
    with pytest.raises(ValueError, match="given is a decomposition, which holds for all rows: expected the features"):
        jackknife(logme, decompose(features), labels)
    with pytest.raises(ValueError, match="there are 79 targets for 80 rows"):
        difference(logme, features, features, labels[:-1])
    with pytest.raises(ValueError, match="there are 10 and 80 terms: expected those of the same rows"):
        bootstrap(np.ones(10), np.ones(80))
