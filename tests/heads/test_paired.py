"""Paired differences: their standard error, and what is better beyond it."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.heads.paired import above_error, lower, standard_error


def alike(count):
    return np.full(count, 1 / count)


def test_the_standard_error_is_that_of_a_paired_mean():
    differences = np.random.default_rng(0).normal(size=50)
    assert standard_error(differences, alike(50)) == pytest.approx(np.std(differences) / np.sqrt(50))


def test_rows_of_one_block_count_as_drawn_together():
    differences = np.random.default_rng(0).normal(size=20)
    once = standard_error(differences, alike(20))
    four = np.repeat(differences, 4)
    assert standard_error(four, alike(80), np.repeat(np.arange(20), 4)) == pytest.approx(once)
    assert standard_error(four, alike(80)) == pytest.approx(once / 2)


def test_a_mean_is_held_against_its_own_error():
    spread = np.array([-1.0, 1.0] * 50)
    error = standard_error(spread, alike(100))
    assert above_error(spread + 1.01 * error, alike(100))
    assert not above_error(spread + 0.99 * error, alike(100))
    assert not above_error(np.zeros(4), alike(4))


def test_lower_by_so_many_standard_errors():
    ones, noise = np.zeros(100), np.array([-1.0, 1.0] * 50)
    error = noise.std(ddof=1) / 10
    assert lower(ones, noise + 1.01 * error, 1.0)
    assert not lower(ones, noise + 1.01 * error, 2.0)
    assert not lower(ones, ones, 0.0)


def test_of_a_single_row_the_mean_alone_counts():
    assert lower([0.0], [1.0], 2.0)
    assert not lower([1.0], [1.0], 2.0)


def test_others_that_are_endlessly_bad_are_worse():
    assert lower([1.0, 2.0], [np.inf, 2.0], 1.0)
