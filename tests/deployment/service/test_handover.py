"""Results of a thread that calculates, awaited in an event loop."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from threading import Thread

import pytest

from headstart.deployment.service.handover import Handover


def settled_by_a_thread(settle, count):
    """What `count` waiting coroutines get, in order, once a thread has settled their futures; and how often the loop
    was called."""
    futures = [Future() for _ in range(count)]
    calls = []

    async def wait():
        loop, handover = asyncio.get_running_loop(), Handover()
        call = loop.call_soon_threadsafe
        loop.call_soon_threadsafe = lambda *given: (calls.append(given), call(*given))
        waiting = [asyncio.create_task(handover.result(future)) for future in futures]
        await asyncio.sleep(0)
        thread = Thread(target=settle, args=(futures,))
        thread.start()
        thread.join()  # the loop cannot come before all are settled
        return await asyncio.gather(*waiting, return_exceptions=True)

    return asyncio.run(wait()), len(calls)


def test_all_results_that_are_there_come_by_one_call_into_the_loop_and_each_goes_to_its_own():
    def settle(futures):
        for number, future in reversed(list(enumerate(futures))):
            future.set_result(number)

    assert settled_by_a_thread(settle, 9) == (list(range(9)), 1)


def test_an_error_goes_to_who_waits_for_it():
    def settle(futures):
        futures[0].set_exception(ZeroDivisionError("mine"))
        futures[1].set_result("good")

    (error, good), _ = settled_by_a_thread(settle, 2)
    assert isinstance(error, ZeroDivisionError)
    assert good == "good"


def test_a_future_that_nobody_waits_for_any_more_is_cancelled_and_holds_up_no_other():
    gone, stays, handover = Future(), Future(), Handover()

    async def wait():
        first = asyncio.create_task(handover.result(gone))
        second = asyncio.create_task(handover.result(stays))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        stays.set_result(2)
        return await second

    assert asyncio.run(wait()) == 2
    assert gone.cancelled()


def test_a_result_after_the_end_of_its_loop_is_dropped_and_the_next_loop_gets_its_own():
    late, handover = Future(), Handover()
    assert late.set_running_or_notify_cancel()  # a batch has taken it: it cannot be cancelled

    async def leave():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(handover.result(late), 0.01)

    async def wait(future):
        return await handover.result(future)

    asyncio.run(leave())
    late.set_result(1)
    ready: Future = Future()
    ready.set_result(2)
    assert asyncio.run(wait(ready)) == 2
