"""The surroundings of linear algebra are put back as they were."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_info, threadpool_limits

from headstart.linalg.blas import FEW, _openmp, at_once, one_thread, one_thread_if_few


def threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def test_one_thread_inside_and_as_before_outside():
    before, errors = threads(), np.geterr()
    with one_thread():
        assert set(threads()) == {1}
        assert np.isnan(np.array([np.inf]) - np.inf).all()
    assert threads() == before
    assert np.geterr() == errors


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_answers_of_threads_come_in_order(count):
    assert at_once(lambda number: number**2, range(count)) == [number**2 for number in range(count)]


def test_two_are_at_work_at_the_same_time():
    both = threading.Barrier(2, timeout=60)
    assert sorted(at_once(lambda _: both.wait(), range(2))) == [0, 1]


def test_a_thread_goes_by_the_settings_of_its_caller():
    with np.errstate(divide="raise", invalid="ignore"):
        with pytest.raises(FloatingPointError):
            at_once(lambda number: np.ones(1) / number, [np.ones(1), np.zeros(1)])
        assert np.isnan(at_once(lambda number: np.sqrt(-number), [np.ones(1)] * 2)).all()


def openmp():
    return {library["num_threads"] for library in _openmp().info()}


def test_trees_on_few_numbers_take_one_thread_and_are_the_same_bits_on_two():
    x = np.random.default_rng(0).normal(size=(200, 4))
    asked = {"max_iter": 10, "early_stopping": False, "random_state": 0}
    with threadpool_limits(2, user_api="openmp"):
        with one_thread_if_few(FEW - 1):
            assert openmp() == {1}
            single = HistGradientBoostingRegressor(**asked).fit(x, x[:, 0]).predict(x)
        with one_thread_if_few(FEW):
            assert openmp() == {2}
            several = HistGradientBoostingRegressor(**asked).fit(x, x[:, 0]).predict(x)
    np.testing.assert_array_equal(single, several)
