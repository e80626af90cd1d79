"""SFDA against its steps written out with dense inverses and loops over rows."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest

from headstart.automl import sfda


def softmax(values):
    e = np.exp(values - values.max())
    return e / e.sum()


def discriminant(rows, labels, shrinkage):
    """p (N, C), and S."""
    n, d = rows.shape
    names = sorted(set(labels.tolist()))
    means = [rows[labels == name].mean(axis=0) for name in names]
    S = np.zeros((d, d))
    for name, mean in zip(names, means, strict=True):
        for row in rows[labels == name]:
            S += np.outer(row - mean, row - mean) / n
    if shrinkage is None:
        shrinkage = max(np.exp(-5 * np.linalg.eigvalsh(S)[-1]), 1e-10)
    inverse = np.linalg.inv((1 - shrinkage) * S + shrinkage * np.trace(S) / d * np.eye(d))
    p = []
    for row in rows:
        scores = [
            row @ inverse @ m - m @ inverse @ m / 2 + np.log(np.mean(labels == name))
            for m, name in zip(means, names, strict=True)
        ]
        p.append(softmax(np.array(scores)))
    return np.array(p), shrinkage, names, np.array(means)


def by_steps(rows, labels):
    p, shrinkage, names, means = discriminant(rows, labels, None)
    mixed = rows.copy()
    own = [names.index(label) for label in labels.tolist()]
    for i, c in enumerate(own):
        h = softmax(p[i])[c]
        mixed[i] = h * rows[i] + (1 - h) * np.delete(means, c, axis=0).mean(axis=0)
    again = discriminant(mixed, labels, shrinkage)[0]
    return np.mean([again[i, c] for i, c in enumerate(own)])


@pytest.mark.parametrize("scale", [0.2, 1.0])
@pytest.mark.parametrize(
    "name", ["iris", "wine", "breast cancer", "unbalanced", "names", "a class of one row", "float32"]
)
def test_sfda_is_its_steps(cases, name, scale):
    features, labels = cases[name]
    rows = scale * features.astype(np.float64)
    assert sfda(scale * features, labels) == pytest.approx(by_steps(rows, labels), abs=1e-5)


def test_constant_columns_count_in_the_mean_variance(cases):
    features, labels = cases["iris"]
    rows = np.hstack([0.1 * features, np.full((150, 3), 7.0)])
    assert sfda(rows, labels) == pytest.approx(by_steps(rows, labels), abs=1e-8)


def test_the_largest_eigenvalue_is_the_same_for_many_columns(monkeypatch, cases):
    for name in ("wine", "digits", "more columns than rows"):
        features, labels = cases[name]
        by_values = sfda(0.3 * features, labels)
        with monkeypatch.context() as patch:
            patch.setattr(import_module("headstart.automl.sfda"), "FEW", 0)
            assert sfda(0.3 * features, labels) == pytest.approx(by_values, rel=1e-5)


def test_its_ends(cases):
    rows = np.random.default_rng(0).normal(size=(50, 3))
    labels = np.repeat([0, 1], 50)
    assert sfda(np.concatenate([rows - 50, rows + 50]), labels) == pytest.approx(1)
    assert sfda(np.concatenate([rows, rows]), labels) == pytest.approx(0.5)
    assert sfda(np.eye(5), np.arange(5)) == pytest.approx(1)
    assert sfda(np.zeros((100, 3)), labels) == 0.5
