"""From the thread that calculates to the event loop that waits: one call into the loop for all results that are there,
and not one for each, since every such call wakes the loop by a write to a pipe."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from threading import Lock
from typing import Any, TypeVar

__all__ = ["Handover"]

Result = TypeVar("Result")
Waiting = tuple["asyncio.Future[Any]", "Future[Any]"]


class Handover:
    """Of one service; its results may be awaited in several loops."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._done: dict[asyncio.AbstractEventLoop, list[Waiting]] = {}

    async def result(self, future: Future[Result]) -> Result:
        """What it gives, or raises. It is cancelled where nobody waits for it any more."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Result] = loop.create_future()
        future.add_done_callback(lambda done: self._finished(loop, (waiter, done)))
        try:
            return await waiter
        except asyncio.CancelledError:
            future.cancel()
            raise

    def _finished(self, loop: asyncio.AbstractEventLoop, waiting: Waiting) -> None:
        """In the thread that calculates."""
        with self._lock:
            done = self._done.setdefault(loop, [])
            done.append(waiting)
            if loop.is_closed():
                del self._done[loop]
                return
            if len(done) > 1:  # the loop was called, and has not come yet
                return
            loop.call_soon_threadsafe(self._deliver, loop)

    def _deliver(self, loop: asyncio.AbstractEventLoop) -> None:
        """In the thread of the loop."""
        with self._lock:
            done = self._done.pop(loop, [])
        for waiter, future in done:
            if waiter.done():  # it was cancelled
                continue
            error = future.exception()
            if error is None:
                waiter.set_result(future.result())
            else:
                waiter.set_exception(error)
