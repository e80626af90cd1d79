import time
from threading import Lock, Thread, current_thread, main_thread

import pytest
import torch

from headstart.features.lanes import run_lanes


@pytest.mark.parametrize("lanes", [1, 3])
@pytest.mark.parametrize("pieces", [0, 1, 50])
def test_each_piece_is_done_once(lanes, pieces):
    done, lock = [], Lock()

    def lane(numbers, stopped):
        for number in numbers:
            with lock:
                done.append(number)
        assert not stopped.is_set()

    run_lanes(lane, pieces, lanes, lambda: None)
    assert sorted(done) == list(range(pieces))


def test_torch_has_one_thread_in_a_lane_and_as_many_as_before_afterwards():
    before, found = torch.get_num_threads(), []

    def lane(numbers, stopped):
        found.append((torch.get_num_threads(), torch.is_inference_mode_enabled(), current_thread() is main_thread()))

    torch.set_num_threads(3)
    try:
        run_lanes(lane, 1, 2, lambda: None)
        assert found == [(1, True, False)] * 2
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_the_first_error_stops_the_others_and_is_raised():
    done = []

    def lane(numbers, stopped):
        for number in numbers:
            if number == 2:
                raise ValueError("piece 2")
            done.append(number)
            if number > 2:
                stopped.wait(60)

    with pytest.raises(ValueError, match="piece 2"):
        run_lanes(lane, 1000, 2, lambda: None)
    assert set(done) <= {0, 1, 3}


def test_an_error_while_watching_stops_the_lanes():
    ended = []

    def lane(numbers, stopped):
        for _ in numbers:
            time.sleep(0.005)
        ended.append(stopped.is_set())

    def watch():
        raise RuntimeError("watched")

    with pytest.raises(RuntimeError, match="watched"):
        run_lanes(lane, 10**9, 2, watch)
    assert ended == [True, True]


def test_a_lane_that_waits_learns_that_the_run_was_stopped():
    def lane(numbers, stopped):
        if next(numbers) == 0:
            raise ValueError("piece 0")
        assert stopped.wait(60)

    with pytest.raises(ValueError, match="piece 0"):
        run_lanes(lane, 2, 2, lambda: None)


INTERRUPTED = """
import _thread, signal, time
from threading import Event, Thread
from headstart.features.lanes import run_lanes
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it, and so do its children
begun, finished, started = [], [], Event()

def lane(numbers, stopped):
    for number in numbers:
        begun.append(number)
        started.set()
        time.sleep(0.02)
        finished.append(number)

Thread(target=lambda: started.wait() and _thread.interrupt_main(), daemon=True).start()
try:
    run_lanes(lane, 10**9, 2, lambda: None)
except KeyboardInterrupt:
    assert sorted(begun) == sorted(finished), (begun, finished)
    print("interrupted after", len(finished))
"""


def test_an_interrupt_is_prompt_and_lets_the_lanes_finish_their_piece(preloaded):
    """In a process of its own: a runner that is interrupted is lost."""
    words, number = preloaded.checked(INTERRUPTED).rsplit(maxsplit=1)
    assert words == "interrupted after"
    assert int(number) > 0


def test_watch_is_called_in_the_callers_thread_and_once_more_at_the_end():
    done, seen = [], []

    def lane(numbers, stopped):
        for number in numbers:
            time.sleep(0.005)
            done.append(number)

    run_lanes(lane, 20, 2, lambda: seen.append((len(done), current_thread() is main_thread())))
    assert seen[-1] == (20, True)
    assert all(where for _, where in seen)


def test_a_single_lane_that_needs_nobody_runs_in_the_thread_that_called_but_not_in_the_main_one():
    threads, watched, before = [], [], torch.get_num_threads()

    def lane(numbers, stopped):
        threads.append((current_thread(), list(numbers), torch.is_inference_mode_enabled(), torch.get_num_threads()))

    def call():
        torch.set_num_threads(3)
        run_lanes(lane, 2, 1, lambda: watched.append(current_thread()), needs_watch=False)
        threads.append(torch.get_num_threads())

    caller = Thread(target=call)
    caller.start()
    caller.join()
    try:
        assert threads == [(caller, [0, 1], True, 1), 3]
        assert watched == [caller] * 3
        run_lanes(lane, 2, 1, lambda: None, needs_watch=False)
        assert threads[2][0] is not main_thread()
    finally:
        torch.set_num_threads(before)


def test_an_error_of_a_lane_in_the_thread_that_called_is_raised_there():
    errors = []

    def lane(numbers, stopped):
        raise ValueError("piece 0")

    def call():
        try:
            run_lanes(lane, 1, 1, lambda: None, needs_watch=False)
        except ValueError as error:
            errors.append(str(error))

    caller = Thread(target=call)
    caller.start()
    caller.join()
    assert errors == ["piece 0"]
    assert not torch.is_inference_mode_enabled()
