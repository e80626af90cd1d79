"""Answers and features, each given the other, between source and target."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from headstart.adaptation.shift.conditional import conditional

Array = np.ndarray[Any, Any]


def drawn(seed: int, rows: int, centre: float = 0.0, turned: bool = False) -> tuple[Array, Array]:
    """Two columns, and a class that goes with the first."""
    random = np.random.default_rng(seed)
    x = random.normal(centre, 1, (rows, 2))
    y = random.random(rows) < 1 / (1 + np.exp((2 if turned else -2) * x[:, 0]))
    return x, np.eye(2)[y.astype(int)]


def test_moved_features_leave_answers_given_features() -> None:
    found = [conditional(*drawn(s, 150), *drawn(50 + s, 60, 0.7), seed=s) for s in range(3)]
    assert sum(one.answers < 0.05 for one in found) <= 1
    assert all(one.features < 0.05 for one in found)


def test_other_shares_leave_features_given_answers() -> None:
    x, y = drawn(0, 300)
    z, known = drawn(1, 400)
    kept = np.r_[np.flatnonzero(known[:, 1])[:70], np.flatnonzero(known[:, 0])[:10]]
    found = conditional(x, y, z[kept], known[kept])
    assert found.features > 0.05
    assert found.answers < 0.05
    assert found.rows == 80


def test_turned_answers_change_both() -> None:
    found = conditional(*drawn(0, 150), *drawn(1, 60, turned=True))
    assert max(found.answers, found.features) < 0.01


def test_values_of_a_regression() -> None:
    random = np.random.default_rng(0)
    x, z = random.normal(size=(150, 2)), random.normal(0.5, 1, (60, 2))
    noise = random.normal(0, 0.3, (210, 1))
    y, same, other = x[:, :1] + noise[:150], z[:, :1] + noise[150:], z[:, :1] + 1 + noise[150:]
    assert conditional(x, y, z, same).answers > 0.01
    assert conditional(x, y, z, other).answers < 0.01


def test_few_labels() -> None:
    found = conditional(*drawn(0, 50), *drawn(1, 9))
    assert math.isnan(found.answers)
    assert math.isnan(found.features)
    assert found.rows == 9


def test_answers_that_never_vary() -> None:
    x, z = np.random.default_rng(0).normal(size=(2, 30, 2))
    assert conditional(x, np.tile([1.0, 0.0], (30, 1)), z, np.tile([1.0, 0.0], (30, 1))).answers == 1
