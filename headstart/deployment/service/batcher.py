"""Requests that come at about the same time are answered together, in one thread that calculates.

The first input of a batch waits for others at most `max_wait_ms`, where it takes as long by itself as a few do
together. Where fewer wait than a whole batch holds, a few are answered at a time, so that the first are not kept until
the last is calculated. A request of more inputs than a batch holds goes back to the end of the queue after each part,
so that short ones are not behind all of it.

Requests that are read as a whole, which have keys, are never parted: those of one key that wait already go together,
and none waits for others.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import Any

from headstart.deployment.service.limits import Limits
from headstart.deployment.service.refusal import QueueFull
from headstart.deployment.service.served import Answer

__all__ = ["Asked", "Batcher", "Load", "Watch"]

Calculate = Callable[[Sequence[Any]], list[Answer]]
Watch = Callable[[int, float, float], None]
"""Called after a batch with how many inputs it had, how long the oldest waited and how long it took, in seconds."""

Load = Callable[[bool, int], None]
"""Called with whether a batch is calculated, and how many requests wait, where one of them changed; in any thread."""

_SMOOTH = 0.2
_SHARE = 4
"""Of a batch, what is answered at a time while fewer inputs wait than a whole one holds."""


@dataclass(eq=False)
class Asked:
    """A request: its inputs, the answers so far, and who waits for them.

    stays   it was released once, and came back
    """

    items: Sequence[Any]
    arrived: float
    key: Hashable = None
    answers: list[Answer] = field(default_factory=list)
    future: Future[list[Answer]] = field(default_factory=Future)
    taken: int = 0
    stays: bool = False

    @property
    def rest(self) -> int:
        """How many inputs no batch has taken yet."""
        return len(self.items) - self.taken

    def add(self, answers: list[Answer]) -> None:
        """Of its next inputs; who waits gets them once they are of all."""
        self.answers += answers
        if len(self.answers) == len(self.items) and self.future.set_running_or_notify_cancel():
            self.future.set_result(self.answers)

    def fail(self, error: Exception) -> None:
        """Its other parts are not calculated any more."""
        if not self.future.done() and self.future.set_running_or_notify_cancel():
            self.future.set_exception(error)


@dataclass(frozen=True)
class _Part:
    """Some inputs of a request, from `start` to `stop`."""

    asked: Asked
    start: int
    stop: int

    @property
    def items(self) -> Sequence[Any]:
        return self.asked.items[self.start : self.stop]


class Batcher:
    """calculate   from inputs to their answers; called in one thread
    together    inputs of a batch; None: each request is a batch of its own
    watch       told of each batch
    key         of requests that are read as a whole, what those have in common that may go together
    single      whether one input takes a share of the time of several: then none waits for others, and while less than
                half a batch waits requests of one input are answered one by one
    load        told how busy it is
    """

    def __init__(
        self,
        calculate: Calculate,
        limits: Limits,
        together: int | None,
        watch: Watch,
        key: Callable[[Sequence[Any]], Hashable] | None = None,
        *,
        single: bool = False,
        load: Load = lambda calculating, waiting: None,
    ) -> None:
        self._calculate, self._watch, self._key, self._load = calculate, watch, key, load
        self._together = together if limits.max_batch is None or together is None else limits.max_batch
        self._few, self._single = max(1, (self._together or 1) // _SHARE), single
        self._longest_wait = 0.0 if single else limits.max_wait_ms / 1000
        self._most = limits.queue
        self._queue: deque[Asked] = deque()
        self._calculating = False
        self._ready = Condition()
        self._stopped = False
        self._seconds_a_batch = 0.05
        self._thread = Thread(target=self._run, name="batcher", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return len(self._queue)

    def ask(self, items: Sequence[Any]) -> Future[list[Answer]]:
        """The answers to come, in the order of the inputs. Raises QueueFull. A future that is cancelled before a batch
        has taken its inputs costs nothing."""
        asked = Asked(items, time.perf_counter(), None if self._key is None else self._key(items))
        with self._ready:
            if self._stopped or len(self._queue) >= self._most:
                raise QueueFull(len(self._queue), self._patience())
            self._queue.append(asked)
            self._ready.notify()
        self._load(self._calculating, len(self._queue))
        return asked.future

    def release(self) -> Asked | None:
        """The oldest request of a single input that waits while others are calculated, for somebody else to answer: it
        is not in the queue any more. None where there is none."""
        with self._ready:
            if not self._calculating:
                return None
            for place, asked in enumerate(self._queue):
                if len(asked.items) == 1 and not (asked.stays or asked.future.done()):
                    del self._queue[place]
                    return asked
            return None

    def take_back(self, asked: Asked) -> None:
        """Answer here, and next, what was released."""
        asked.stays = True
        with self._ready:
            if not self._stopped:
                self._queue.appendleft(asked)
                self._ready.notify()
                return
        asked.fail(QueueFull(0, 1))

    def stop(self) -> None:
        """Answer what waits, and end the thread."""
        with self._ready:
            self._stopped = True
            self._ready.notify()
        self._thread.join()

    def _patience(self) -> int:
        """Whole seconds until what waits is answered, as far as the last batches tell."""
        inputs = sum(asked.rest for asked in self._queue)
        batches = len(self._queue) if self._together is None else inputs / self._together
        return max(1, math.ceil(batches * self._seconds_a_batch))

    def _run(self) -> None:
        while parts := self._next():
            self._load(True, len(self._queue))
            start = time.perf_counter()
            waited = start - min(part.asked.arrived for part in parts)
            self._answer(parts)
            took = time.perf_counter() - start
            self._seconds_a_batch += _SMOOTH * (took - self._seconds_a_batch)
            self._watch(sum(len(part.items) for part in parts), waited, took)

    def _next(self) -> list[_Part]:
        """The parts of the next batch; none once all is answered and no more is to come."""
        with self._ready:
            self._calculating = False
            while True:
                if not self._queue:
                    self._load(False, 0)
                while not self._queue and not self._stopped:
                    self._ready.wait()
                self._wait_for_more()
                parts = self._taken() if self._key is None else self._taken_whole()
                if parts or (self._stopped and not self._queue):
                    self._calculating = bool(parts)
                    return parts

    def _wait_for_more(self) -> None:
        if self._together is None or self._key is not None or not self._queue:
            return
        until = self._queue[0].arrived + self._longest_wait
        while not self._stopped and sum(asked.rest for asked in self._queue) < self._together:
            left = until - time.perf_counter()
            if left <= 0 or not self._ready.wait(left):
                return

    def _taken(self) -> list[_Part]:
        room = self._room()
        parts: list[_Part] = []
        later: list[Asked] = []
        while self._queue and room > 0 and not (parts and self._together is None):
            asked = self._queue.popleft()
            if asked.future.done():  # cancelled, or a part of it failed
                continue
            stop = asked.taken + int(min(room, asked.rest))
            parts.append(_Part(asked, asked.taken, stop))
            room -= stop - asked.taken
            asked.taken = stop
            if asked.rest:
                later.append(asked)
        self._queue.extend(later)
        return parts

    def _room(self) -> float:
        """Inputs of the next batch, at most."""
        if self._together is None:
            return math.inf
        waiting = [asked.rest for asked in self._queue if not asked.future.done()]
        if sum(waiting) >= self._together:
            return self._together
        if self._single and sum(waiting) < self._together / 2:
            return min(self._few, max([1, *waiting[:1]]))
        return self._few

    def _taken_whole(self) -> list[_Part]:
        """Requests of one key, the oldest among them; the others keep their places."""
        room = math.inf if self._together is None else self._together
        parts: list[_Part] = []
        others: deque[Asked] = deque()
        for asked in self._queue:
            if asked.future.done():
                continue
            if parts and (asked.key != parts[0].asked.key or asked.rest > room):
                others.append(asked)
                continue
            parts.append(_Part(asked, 0, asked.rest))
            room -= asked.rest
            asked.taken = len(asked.items)
        self._queue = others
        return parts

    def _answer(self, parts: list[_Part]) -> None:
        """Where a batch fails, each part of it alone: one request is not answered for the fault of another."""
        try:
            answers = self._calculate([item for part in parts for item in part.items])
        except Exception as error:
            if len(parts) == 1:
                parts[0].asked.fail(error)
                return
            for part in parts:
                self._answer([part])
            return
        at = 0
        for part in parts:
            size = part.stop - part.start
            part.asked.add(answers[at : at + size])
            at += size
