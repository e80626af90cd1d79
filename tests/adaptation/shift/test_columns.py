"""Columns ranked by how much they differ."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from headstart.adaptation.shift.columns import column_shifts, holm


def test_the_moved_column_is_first_and_the_rest_is_not_significant() -> None:
    random = np.random.default_rng(0)
    source, target = random.normal(size=(200, 5)), random.normal(size=(150, 5))
    target[:, 2] += 1
    found = column_shifts(source, target, names="abcde")
    assert found[0].name == "c"
    assert found[0].mean_difference == pytest.approx(1, abs=0.25)
    assert found[0].distance == pytest.approx(stats.ks_2samp(source[:, 2], target[:, 2]).statistic)
    assert found[0].p < 1e-6
    assert min(one.p for one in found[1:]) > 0.05


def test_codes_by_total_variation() -> None:
    source, target = np.repeat([0.0, 1.0], 50)[:, None], np.repeat([0.0, 1.0, 2.0], [20, 40, 40])[:, None]
    found = column_shifts(source, target, codes=np.array([True]))[0]
    assert found.codes
    assert found.distance == pytest.approx((0.3 + 0.1 + 0.4) / 2)
    assert found.p < 1e-6
    assert column_shifts(source[:5], target[:5], codes=np.array([True]))[0].p == 1


def test_constants() -> None:
    assert column_shifts(np.ones((4, 1)), np.ones((3, 1)))[0][1:4] == (0.0, 0.0, 1.0)
    moved = column_shifts(np.ones((40, 1)), np.full((30, 1), 2.0))[0]
    assert moved.distance == 1
    assert moved.mean_difference == np.inf


def test_holm() -> None:
    assert holm(np.array([0.01, 0.04, 0.03, 0.5])) == pytest.approx([0.04, 0.09, 0.09, 0.5])


def test_refusals() -> None:
    x = np.zeros((3, 2))
    with pytest.raises(ValueError, match="names holds 1 for 2 columns"):
        column_shifts(x, x, names=["a"])
    with pytest.raises(ValueError, match="codes holds 3 for 2 columns"):
        column_shifts(x, x, codes=np.zeros(3))
