"""The share of the target outside the source's support."""

from __future__ import annotations

import math

import numpy as np

from headstart.adaptation.shift.support import support


def test_the_same_source_again_lies_inside() -> None:
    random = np.random.default_rng(0)
    found = support(random.normal(size=(2000, 3)), random.normal(size=(2000, 3)))
    assert 0.002 < found.share.value < 0.03
    assert found.share.low <= found.expected <= found.share.high


def test_a_fifth_that_is_elsewhere() -> None:
    random = np.random.default_rng(0)
    target = random.normal(size=(500, 3))
    target[:100] += 20
    found = support(random.normal(size=(500, 3)), target)
    assert 0.2 <= found.share.value < 0.23
    assert found.share.low < 0.2 < found.share.high
    assert (found.distances[:100] > 1).all()


def test_a_column_constant_in_the_source_only() -> None:
    random = np.random.default_rng(0)
    source, target = random.normal(size=(100, 2)), random.normal(size=(50, 2))
    source[:, 1] = 3.0
    assert support(source, target).share.value > 0.5
    target[:, 1] = 3.0
    assert support(source, target).share.value < 0.2


def test_few_rows() -> None:
    random = np.random.default_rng(0)
    assert math.isnan(support(random.normal(size=(10, 2)), random.normal(size=(5, 2))).share.value)
    assert support(random.normal(size=(50, 2)), np.full((1, 2), 9.0)).share.value == 1.0
    assert (
        np.isfinite(support(random.normal(size=(500, 2)), random.normal(size=(300, 2)), most=50).distances).sum() == 50
    )
