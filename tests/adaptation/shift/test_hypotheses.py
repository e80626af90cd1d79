"""Three stories of a shift: each stands where it is true, and falls where another is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from headstart.adaptation.shift.hypotheses import covariate, label, label_shares, moved

Array = np.ndarray[Any, Any]


def clumps(counts: list[int], seed: int) -> tuple[Array, Array]:
    """Classes around (0, 0), (3, 0) and (0, 3)."""
    codes = np.repeat(np.arange(len(counts)), counts)
    centres = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 3.0]])
    return centres[codes] + np.random.default_rng(seed).normal(size=(len(codes), 2)), codes


def test_the_shares_of_classes_are_found_with_intervals_that_hold_them() -> None:
    truth, inside = np.array([0.1, 0.2, 0.7]), 0
    for seed in range(6):
        source, codes = clumps([80, 80, 80], seed)
        shares = label_shares(source, codes, clumps([20, 40, 140], 100 + seed)[0], seed=seed)
        assert sum(share.value for share in shares) == pytest.approx(1)
        assert np.array([share.value for share in shares]) == pytest.approx(truth, abs=0.12)
        inside += sum(share.low <= true <= share.high for share, true in zip(shares, truth, strict=True))
    assert inside >= 15


def test_a_class_that_the_source_lacks_has_no_share() -> None:
    source, codes = clumps([40, 40], 0)
    shares = label_shares(source, 2 * codes, source + 0.1)
    assert shares[1] == (0, 0, 0)
    assert shares[0].value + shares[2].value == pytest.approx(1)


def test_other_shares() -> None:
    source, codes = clumps([80, 80, 80], 0)
    target, _ = clumps([10, 30, 120], 1)
    assert label(source, codes, target, label_shares(source, codes, target)).stands
    assert not moved(source, target).stands


def test_weights() -> None:
    standing = 0
    for seed in range(6):  # one in twenty is refuted though it is true
        random = np.random.default_rng(seed)
        source, target = random.normal(size=(300, 2)), random.normal(0.4, 0.6, (150, 2))
        standing += covariate(source, target).stands
    assert standing >= 4
    codes = (source.sum(axis=1) > 0).astype(int)
    assert not label(source, codes, target, label_shares(source, codes, target)).stands


@pytest.mark.parametrize("columns", [1, 2, 30])
def test_a_move(columns: int) -> None:
    random = np.random.default_rng(0)
    source, target = random.normal(size=(150, columns)), 0.5 * random.normal(size=(140, columns)) + 4
    codes = (source[:, 0] > 0).astype(int)
    assert moved(source, target).stands
    assert not covariate(source, target).stands
    assert not label(source, codes, target, label_shares(source, codes, target)).stands


def test_too_few_rows_say_nothing() -> None:
    random = np.random.default_rng(0)
    source, target = random.normal(size=(50, 2)), random.normal(size=(5, 2))
    for story in (covariate(source, target), moved(source, target)):
        assert math.isnan(story.p)
        assert not story.stands
