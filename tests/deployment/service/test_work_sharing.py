"""Requests that wait in one worker and are answered by another: batchers of one process, by real sockets."""

from __future__ import annotations

import asyncio
from threading import Event

import numpy as np
import pytest

from headstart.deployment.service.batcher import Batcher
from headstart.deployment.service.limits import Limits
from headstart.deployment.service.serve import _sharing
from headstart.deployment.service.served import Answer
from headstart.deployment.service.work_sharing import WorkSharing

LIMIT = 60


class Worker:
    """A batcher whose thread waits to be let go, and what shares its work. It answers a text with its length, in the
    first of two numbers; the second is its own number.

    fails   whether it cannot answer anything
    """

    def __init__(self, folder, slot, workers=2, *, fails=False):
        self.slot, self.fails = slot, fails
        self.begun, self.go = Event(), Event()
        self.answered: list[str] = []
        self.sharing = WorkSharing(folder, slot, workers)
        self.batcher = Batcher(self.calculate, Limits(), 16, lambda *_: None, single=True, load=self.sharing.load)

    def calculate(self, items):
        self.begun.set()
        assert self.go.wait(LIMIT)
        if self.fails:
            raise ZeroDivisionError
        self.answered += items
        return [Answer(np.array([len(item), self.slot], float)) for item in items]

    async def ask(self, *items):
        future = self.batcher.ask(list(items))
        self.sharing.offer()
        return [answer.values.tolist() for answer in await asyncio.wrap_future(future)]


async def stopped(*workers):
    """All of them, and nothing goes on afterwards. A server of asyncio that is closed while it accepts leaves that
    connection open, so what they told each other last is accepted first."""
    for worker in workers:
        worker.go.set()
        await asyncio.to_thread(worker.batcher.stop)
    for _ in range(20):
        await asyncio.sleep(0)
    for worker in workers:
        await worker.sharing.stop()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        _, going = await asyncio.wait(others, timeout=LIMIT)
        assert not going, going


def story(folder, tell, **of_second):
    """What `tell` returns of two workers, of which the first is busy with "busy" and the second may answer."""

    async def told():
        first, second = Worker(folder, 0), Worker(folder, 1, **of_second)
        for worker in (first, second):
            await worker.sharing.start(worker.batcher)
        second.go.set()
        busy = asyncio.create_task(first.ask("busy"))
        await asyncio.to_thread(first.begun.wait, LIMIT)
        try:
            result = await asyncio.wait_for(tell(first, second), LIMIT)
            first.go.set()
            assert await busy == [[4, 0]]
            return result
        finally:
            await stopped(first, second)

    return asyncio.run(told())


def test_what_comes_while_a_worker_is_busy_is_answered_by_one_that_is_idle(tmp_path):
    async def tell(first, second):
        return [await first.ask(text) for text in ("a", "bb", "ccc")]

    assert story(tmp_path, tell) == [[[1, 1]], [[2, 1]], [[3, 1]]]


def test_who_becomes_idle_takes_what_waits(tmp_path):
    async def tell(first, second):
        second.go.clear()
        second.begun.clear()
        own = asyncio.create_task(second.ask("own"))
        await asyncio.to_thread(second.begun.wait, LIMIT)
        waiting = [asyncio.create_task(first.ask(text)) for text in ("a", "bb", "ccc")]
        await asyncio.sleep(0)
        assert first.batcher.waiting == 3, "nobody is idle"
        second.go.set()
        return await own, [await one for one in waiting]

    own, waiting = story(tmp_path, tell)
    assert own == [[3, 1]]
    assert waiting == [[[1, 1]], [[2, 1]], [[3, 1]]]


def test_a_request_of_several_inputs_stays(tmp_path):
    async def tell(first, second):
        own = asyncio.create_task(first.ask("a", "b"))
        await asyncio.sleep(0.1)
        first.go.set()
        return await own, second.answered

    assert story(tmp_path, tell) == ([[1, 0], [1, 0]], [])


def test_what_another_worker_fails_on_is_answered_here(tmp_path):
    async def tell(first, second):
        own = asyncio.create_task(first.ask("abc"))
        await asyncio.to_thread(second.begun.wait, LIMIT)
        while not first.batcher.waiting:
            await asyncio.sleep(0.01)
        first.go.set()
        return await own

    assert story(tmp_path, tell, fails=True) == [[3, 0]]


def test_what_another_worker_held_when_it_went_is_answered_here(tmp_path):
    async def tell(first, second):
        second.go.clear()
        own = asyncio.create_task(first.ask("abc"))
        await asyncio.to_thread(second.begun.wait, LIMIT)
        for connection in list(second.sharing._connections):  # as when it is killed
            connection.transport.abort()
        while not first.batcher.waiting:
            await asyncio.sleep(0.01)
        first.go.set()
        return await own

    assert story(tmp_path, tell) == [[3, 0]]


def test_a_worker_that_is_not_there_any_more_is_given_nothing(tmp_path):
    async def tell(first, second):
        table = second.sharing._begun.table
        await second.sharing.stop()
        table.write(idle=True, waiting=0)  # as one that was killed leaves it
        own = asyncio.create_task(first.ask("abc"))
        await asyncio.sleep(0.1)
        first.go.set()
        return await own, second.answered

    assert story(tmp_path, tell) == ([[3, 0]], [])


def test_a_client_that_leaves_costs_nothing(tmp_path):
    async def tell(first, second):
        second.go.clear()
        leaves = asyncio.create_task(first.ask("leaves"))
        await asyncio.to_thread(second.begun.wait, LIMIT)
        leaves.cancel()
        second.go.set()
        return await first.ask("stays")

    assert story(tmp_path, tell) == [[5, 1]]


def test_answers_that_were_promised_are_given_before_a_worker_ends(tmp_path):
    async def tell(first, second):
        second.go.clear()
        own = asyncio.create_task(first.ask("abc"))
        await asyncio.to_thread(second.begun.wait, LIMIT)
        ending = asyncio.create_task(second.sharing.stop())
        await asyncio.sleep(0.05)
        assert not ending.done()
        second.go.set()
        await ending
        return await own

    assert story(tmp_path, tell) == [[3, 1]]


def test_there_is_nothing_to_share_for_one_worker_nor_where_a_socket_cannot_be(tmp_path):
    assert isinstance(_sharing(tmp_path, 2, 1, 0)(), WorkSharing)
    assert _sharing(tmp_path, 1, 1, 0)() is None
    assert _sharing(tmp_path / ("long" * 30), 2, 1, 0)() is None


def test_where_the_folder_cannot_be_used_a_worker_answers_alone(tmp_path):
    (tmp_path / "file").write_text("in the way")

    async def told():
        worker = Worker(tmp_path / "file", 0)
        worker.go.set()
        with pytest.raises(OSError, match="file"):
            await worker.sharing.start(worker.batcher)
        try:
            return await worker.ask("abc")
        finally:
            await stopped(worker)

    assert asyncio.run(told()) == [[3, 0]]


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_all_of_many_are_answered_once(tmp_path, loop):
    factory = None if loop == "asyncio" else pytest.importorskip("uvloop").new_event_loop

    async def told():
        workers = [Worker(tmp_path, slot, 3) for slot in range(3)]
        for worker in workers:
            worker.go.set()
            await worker.sharing.start(worker.batcher)
        texts = [str(number) for number in range(300)]
        replies = await asyncio.gather(*[workers[number % 7 % 3].ask(text) for number, text in enumerate(texts)])
        await stopped(*workers)
        return texts, replies, sorted(text for worker in workers for text in worker.answered)

    with asyncio.Runner(loop_factory=factory) as runner:
        texts, replies, answered = runner.run(told())
    assert answered == sorted(texts)
    assert [reply[0][0] for reply in replies] == [len(text) for text in texts]
