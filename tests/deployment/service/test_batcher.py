"""Requests together in batches: what goes together, in what order, and what a fault or a full queue does to whom."""

from __future__ import annotations

from threading import Event

import numpy as np
import pytest

from headstart.deployment.service.batcher import Batcher
from headstart.deployment.service.limits import Limits
from headstart.deployment.service.refusal import QueueFull
from headstart.deployment.service.served import Answer

LIMIT = 60


class Recorded:
    """Answers each number by itself, batch by batch, once it is let go; a negative number is a fault."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun, self.go = Event(), Event()

    def __call__(self, items):
        self.batches.append(list(items))
        self.begun.set()
        assert self.go.wait(LIMIT)
        if min(items) < 0:
            raise ZeroDivisionError
        return [Answer(np.array([float(item)])) for item in items]


def batcher(calculate, together=4, **limits):
    return Batcher(calculate, Limits(**({"max_wait_ms": 0} | limits)), together, lambda size, waited, took: None)


def values(future):
    return [float(answer.values[0]) for answer in future.result(LIMIT)]


def after_the_first(own, calculate, *requests):
    """The futures of requests that come while a first one is calculated."""
    first = own.ask([0])
    assert calculate.begun.wait(LIMIT)
    futures = [own.ask(items) for items in requests]
    calculate.go.set()
    own.stop()
    assert values(first) == [0.0]
    return futures


def test_single_inputs_are_answered_one_by_one_while_few_wait_and_together_once_a_batch_is_full():
    calculate = Recorded()
    own = Batcher(calculate, Limits(max_wait_ms=60_000), 16, lambda *_: None, single=True)
    futures = after_the_first(own, calculate, *[[number] for number in range(1, 20)])
    assert [values(future) for future in futures] == [[float(number)] for number in range(1, 20)]
    assert calculate.batches == [[0], list(range(1, 17)), [17], [18], [19]]


def test_single_inputs_are_answered_some_at_a_time_where_several_wait():
    calculate = Recorded()
    own = Batcher(calculate, Limits(max_wait_ms=60_000), 16, lambda *_: None, single=True)
    after_the_first(own, calculate, *[[number] for number in range(1, 10)])
    assert calculate.batches == [[0], [1, 2, 3, 4], [5], [6], [7], [8], [9]]


def test_beside_single_inputs_a_request_of_several_is_answered_some_at_a_time():
    calculate = Recorded()
    own = Batcher(calculate, Limits(max_wait_ms=60_000), 16, lambda *_: None, single=True)
    futures = after_the_first(own, calculate, [1], [2, 3, 4, 5, 6, 7], [8])
    assert [len(values(future)) for future in futures] == [1, 6, 1]
    assert calculate.batches == [[0], [1, 2, 3, 4], [8], [5, 6, 7]]


def test_a_request_is_released_while_others_are_calculated_and_answered_next_where_it_comes_back():
    calculate = Recorded()
    own = batcher(calculate)
    assert own.release() is None
    first = own.ask([0])
    assert calculate.begun.wait(LIMIT)
    many, one, other = own.ask([1, 2]), own.ask([3]), own.ask([4])
    asked = own.release()
    assert asked.items == [3]
    asked.add([Answer(np.array([33.0]))])
    back = own.release()
    assert back.items == [4]
    own.take_back(back)
    assert own.release() is None, "it is not handed over again"
    calculate.go.set()
    own.stop()
    assert [values(future) for future in (first, many, one, other)] == [[0.0], [1.0, 2.0], [33.0], [4.0]]
    assert calculate.batches == [[0], [4], [1], [2]]


def test_what_comes_back_after_the_end_is_refused():
    calculate = Recorded()
    own = batcher(calculate)
    own.ask([0])
    assert calculate.begun.wait(LIMIT)
    own.ask([1])
    asked = own.release()
    calculate.go.set()
    own.stop()
    own.take_back(asked)
    with pytest.raises(QueueFull):
        asked.future.result(LIMIT)


def test_what_waits_is_answered_together_in_order_and_each_gets_its_own():
    calculate = Recorded()
    own = batcher(calculate)
    futures = after_the_first(own, calculate, [1], [2, 3], [4], [5])
    assert [values(future) for future in futures] == [[1.0], [2.0, 3.0], [4.0], [5.0]]
    assert calculate.batches == [[0], [1, 2, 3, 4], [5]]


def test_where_fewer_wait_than_a_batch_holds_a_quarter_is_answered_at_a_time():
    calculate = Recorded()
    own = batcher(calculate, together=8)
    futures = after_the_first(own, calculate, [1], [2, 3], [4], [5])
    assert [values(future) for future in futures] == [[1.0], [2.0, 3.0], [4.0], [5.0]]
    assert calculate.batches == [[0], [1, 2], [4, 5], [3]]


def test_a_long_request_lets_others_pass_between_its_parts():
    calculate = Recorded()
    own = batcher(calculate, together=2)
    futures = after_the_first(own, calculate, [1, 2, 3, 4, 5], [6], [7])
    assert calculate.batches == [[0], [1, 2], [6, 7], [3, 4], [5]]
    assert [values(future) for future in futures] == [[1.0, 2.0, 3.0, 4.0, 5.0], [6.0], [7.0]]


def test_where_nothing_goes_together_each_request_is_a_batch():
    calculate = Recorded()
    own = batcher(calculate, together=None)
    after_the_first(own, calculate, [1, 2, 3, 4, 5, 6], [7])
    assert calculate.batches == [[0], [1, 2, 3, 4, 5, 6], [7]]


def test_requests_with_keys_stay_whole_and_go_with_those_of_their_own_key():
    calculate = Recorded()
    own = Batcher(calculate, Limits(max_wait_ms=1000 * LIMIT), 4, lambda *numbers: None, lambda items: items[0] > 9)
    futures = after_the_first(
        own, calculate, [1], [10], [2, 3], [4, 5], [6], [11, 12, 13, 14, 15], [16], [7, 8, 9, 9, 9]
    )
    assert calculate.batches == [[0], [1, 2, 3, 6], [10, 16], [4, 5], [11, 12, 13, 14, 15], [7, 8, 9, 9, 9]]
    assert [values(future) for future in futures][2] == [2.0, 3.0]


def test_a_fault_fails_its_own_request_only():
    calculate = Recorded()
    own = batcher(calculate)
    good, bad, *others = after_the_first(own, calculate, [1], [-2], [3], [4])
    assert [values(future) for future in (good, *others)] == [[1.0], [3.0], [4.0]]
    with pytest.raises(ZeroDivisionError):
        bad.result(LIMIT)
    assert calculate.batches == [[0], [1, -2, 3, 4], [1], [-2], [3], [4]]


def test_a_full_queue_refuses_and_says_when_to_ask_again():
    calculate = Recorded()
    own = batcher(calculate, queue=2)
    first = own.ask([0])
    assert calculate.begun.wait(LIMIT)
    waiting = [own.ask([1]), own.ask([2])]
    with pytest.raises(QueueFull, match="2 requests wait already: ask again in 1 s") as refused:
        own.ask([3])
    assert (refused.value.status, refused.value.headers) == (429, {"retry-after": "1"})
    calculate.go.set()
    own.stop()
    assert [values(future) for future in (first, *waiting)] == [[0.0], [1.0], [2.0]]


def test_a_request_that_nobody_waits_for_any_more_is_not_calculated():
    calculate = Recorded()
    own = batcher(calculate, together=1)
    first = own.ask([0])
    assert calculate.begun.wait(LIMIT)
    gone, stays = own.ask([1]), own.ask([2])
    assert gone.cancel()
    calculate.go.set()
    own.stop()
    assert (values(first), values(stays)) == ([0.0], [2.0])
    assert calculate.batches == [[0], [2]]


def test_the_first_waits_for_others_until_the_batch_is_full():
    calculate = Recorded()
    calculate.go.set()
    own = batcher(calculate, together=3, max_wait_ms=1000 * LIMIT)
    futures = [own.ask([number]) for number in range(3)]
    assert [values(future) for future in futures] == [[0.0], [1.0], [2.0]]
    own.stop()
    assert calculate.batches == [[0, 1, 2]]


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"max_wait_ms": -1}, "max_wait_ms = -1: expected 0 or more"),
        ({"max_batch": 0}, "max_batch = 0: expected 1 or more, or None"),
        ({"queue": 0}, "queue = 0"),
        ({"answer_seconds": 0}, "answer_seconds = 0: expected more than 0"),
    ],
)
def test_limits_that_cannot_be_are_refused(limits, words):
    with pytest.raises(ValueError, match=words):
        Limits(**limits)
