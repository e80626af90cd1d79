"""Which rows make up each step: nothing is cut off, and each step holds rows of both tasks."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from headstart.training.sampler import parts, rounds

NOBODY = np.arange(0)


@given(st.integers(2, 40), st.integers(1, 40), st.integers(1, 12))
def test_the_longer_task_is_gone_through_once_and_the_shorter_is_cycled(n, m, most):
    rows, target = np.arange(n), n + np.arange(m)
    steps = rounds(rows, target, most, (0, 0, 0))
    ours = [step[step < n] for step in steps]
    theirs = [step[step >= n] for step in steps]
    assert all(len(a) and len(b) for a, b in zip(ours, theirs, strict=True))
    assert all(len(a) <= most and len(b) <= most for a, b in zip(ours, theirs, strict=True))
    for some, found, other in ((rows, ours, m), (target, theirs, n)):
        counts = np.unique_counts(np.concatenate(found))
        if len(some) >= other:
            np.testing.assert_array_equal(np.sort(np.concatenate(found)), some)
        assert np.ptp(counts.counts) <= 1 or len(counts.values) < len(some)
    assert len(steps) == max(len(parts(rows, most)), len(parts(target, most)))


def test_without_a_target_and_beside_one_the_order_of_the_source_is_the_same():
    rows = np.arange(10)
    alone = rounds(rows, NOBODY, 4, (1, 2, 3))
    beside = rounds(rows, 10 + np.arange(3), 4, (1, 2, 3))
    for one, both in zip(alone, beside, strict=True):
        np.testing.assert_array_equal(one, both[both < 10])
    assert not np.array_equal(alone[0], rounds(rows, NOBODY, 4, (1, 2, 4))[0])


def test_the_shorter_task_comes_in_another_order_each_time_and_each_row_as_often():
    steps = rounds(np.arange(40), 40 + np.arange(5), 5, (0, 0, 0))
    theirs = [tuple(step[step >= 40]) for step in steps]
    assert len(steps) == 8
    assert all(sorted(step) == [40, 41, 42, 43, 44] for step in theirs)
    assert len(set(theirs)) > 1
