"""LEEP and NCE against loops over rows, classes and source classes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from headstart.automl import leep, nce


def leep_by_loops(p, labels):
    n, sources = p.shape
    joint = {(y, z): 0.0 for y in set(labels) for z in range(sources)}
    for i in range(n):
        for z in range(sources):
            joint[labels[i], z] += p[i, z] / n
    total = [sum(joint[y, z] for y in set(labels)) for z in range(sources)]
    logs = []
    for i in range(n):
        logs.append(np.log(sum(joint[labels[i], z] / total[z] * p[i, z] for z in range(sources) if total[z] > 0)))
    return float(np.mean(logs))


def nce_by_loops(source, labels):
    pairs = list(zip(labels, source, strict=True))
    value = 0.0
    for pair in set(pairs):
        value += pairs.count(pair) / len(pairs) * np.log(pairs.count(pair) / source.count(pair[1]))
    return value


@pytest.mark.parametrize("name", ["iris", "wine", "unbalanced", "names", "a class of one row", "gaps between labels"])
def test_both_are_what_loops_give(cases, name):
    features, labels = cases[name]
    p = softmax(features[:, :5].astype(np.float64), axis=1)
    p = np.hstack([p, np.zeros((len(p), 1))])
    assert leep(p, labels) == pytest.approx(leep_by_loops(p, labels.tolist()), abs=1e-12)
    likeliest = p.argmax(axis=1)
    assert nce(p, labels) == pytest.approx(nce_by_loops(likeliest.tolist(), labels.tolist()), abs=1e-12)
    assert nce(likeliest, labels) == nce(p, labels)
    assert nce(np.array(["f", "e", "d", "c", "b", "a"])[likeliest], labels) == pytest.approx(nce(p, labels), abs=1e-12)


def test_a_perfect_source_scores_zero_and_a_random_one_the_entropy_of_the_classes():
    labels = np.tile(np.arange(4), 500)
    assert leep(np.eye(4)[labels], labels) == 0
    assert leep(np.eye(4)[[2, 0, 3, 1]][labels], labels) == 0
    assert nce(np.eye(4)[labels], labels) == 0
    random = np.random.default_rng(0).dirichlet(np.full(7, 20.0), len(labels))
    assert leep(random, labels) == pytest.approx(np.log(1 / 4), abs=0.01)
    assert nce(random, labels) == pytest.approx(np.log(1 / 4), abs=0.01)
    assert leep(np.ones((2000, 1)), labels) == pytest.approx(np.log(1 / 4), abs=1e-12)
    assert nce(np.zeros(2000, int), labels) == pytest.approx(np.log(1 / 4), abs=1e-12)


def test_soft_answers_score_less_than_nce_of_the_same_labels_when_sure():
    labels = np.random.default_rng(1).integers(0, 3, 300)
    source = np.where(np.random.default_rng(2).random(300) < 0.8, labels, (labels + 1) % 3)
    assert leep(np.eye(3)[source], labels) == pytest.approx(nce(source, labels), abs=1e-12)


def test_probabilities_of_half_precision_are_taken_and_others_are_refused(cases):
    features, labels = cases["wine"]
    p = softmax(features[:, :5], axis=1)
    assert leep(p.astype(np.float32), labels) == pytest.approx(leep(p, labels), abs=1e-6)
    for score in (leep, nce):
        with pytest.raises(ValueError, match=r"rows up to .* off a sum of 1: expected one probability of each source"):
            score(features[:, :5], labels)
        with pytest.raises(ValueError, match=r"rows up to 0\.1 off a sum of 1: .* softmax first"):
            score(p * 1.1, labels)
        with pytest.raises(ValueError, match=r"have a least value of -0\.5"):
            score(np.c_[p + 0.1, np.full(len(p), -0.5)], labels)
        with pytest.raises(ValueError, match="1 of 178 rows hold NaN"):
            score(np.where(np.arange(178)[:, None] == 3, np.nan, p), labels)
    with pytest.raises(ValueError, match=r"labels have shape \(178, 5, 1\) and type float64: expected probabilities"):
        nce(p[:, :, None], labels)
    with pytest.raises(ValueError, match=r"labels have shape \(178,\) and type float64"):
        nce(p[:, 0], labels)
