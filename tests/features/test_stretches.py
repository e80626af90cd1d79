from itertools import pairwise
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.features.stretches import Stretches


@given(st.integers(0, 60), st.integers(1, 5), st.lists(st.integers(0, 4), max_size=80))
def test_each_piece_is_given_once_whoever_asks(count, lanes, turns):
    stretches = Stretches(count, lanes)
    takers = [stretches.lane() for _ in range(lanes)]
    given_out = [next(takers[turn % lanes], None) for turn in turns]
    given_out = [number for number in given_out if number is not None]
    given_out += [number for taker in takers for number in taker]
    assert sorted(given_out) == list(range(count))


@pytest.mark.parametrize("lanes", [1, 2, 3])
def test_a_lane_stays_among_neighbours(lanes):
    stretches = Stretches(90, lanes)
    takers = [stretches.lane() for _ in range(lanes)]
    for taker in takers:
        taken = [next(taker) for _ in range(90 // lanes)]
        assert all(after == before + 1 for before, after in pairwise(taken))


def test_a_lane_that_has_done_helps_the_one_with_most_left_from_its_far_end():
    stretches = Stretches(30, 3)
    first, second, third = (stretches.lane() for _ in range(3))
    assert [next(third) for _ in range(4)] == [20, 21, 22, 23]
    assert [next(second) for _ in range(9)] == list(range(10, 19))
    assert [next(first) for _ in range(14)] == [*range(10), 29, 28, 27, 26]


def test_threads_share_the_pieces():
    stretches, done = Stretches(5000, 4), []
    threads = [Thread(target=lambda: done.extend(stretches.lane())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == list(range(5000))
