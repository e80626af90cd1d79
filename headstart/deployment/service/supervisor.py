"""The process above the workers: it loads the model and forks them, so that they share its memory, and it never
calculates itself.

A worker that dies is replaced. When the model's folder changes, or on SIGHUP, the new model is read and tried in new
workers beside the old ones, which end only when the new ones are ready; where the new model cannot be used, the old
one goes on.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from headstart.deployment.service.served import Served
from headstart.errors import HeadstartError

__all__ = ["Supervisor", "Work", "say"]

Work = Callable[[Callable[[], Served], socket.socket, int, int, tuple[int, int]], int]
"""The life of a worker: how to get the model, where to listen, on which pipe to say that it is ready, which pipe ends
with the supervisor, and the numbers of its model and of its slot; its exit code."""

_PATIENCE = 300.0
_SHORT_LIFE = 5.0
_LONGEST_PAUSE = 30.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


def say(words: str) -> None:
    """To the person who runs the service."""
    sys.stderr.write(f"headstart serve: {words}\n")
    sys.stderr.flush()


@dataclass
class _Worker:
    """pid, slot (its socket) and generation (its model) of a process; what it says, until it has; since when."""

    pid: int
    slot: int
    generation: int
    says: int
    began: float
    ready: bool = False


class Supervisor:
    """load       reads the model; called here, or where `shared` is not set in each worker
    stamp      tells whether the model's folder changed
    listeners  a socket for each worker
    lost       told the pid of each worker that ended
    poll       seconds between two looks at the folder; 0: only on SIGHUP
    """

    def __init__(
        self,
        load: Callable[[], Served],
        stamp: Callable[[], object],
        work: Work,
        listeners: Sequence[socket.socket],
        *,
        shared: bool = True,
        lost: Callable[[int], None] = lambda pid: None,
        poll: float = 1.0,
        grace: float = 30.0,
    ) -> None:
        self._load, self._stamp, self._work, self._listeners = load, stamp, work, listeners
        self._shared, self._lost, self._poll, self._grace = shared, lost, poll, grace
        self._workers: dict[int, _Worker] = {}
        self._generation = 0
        self._model: Callable[[], Served] = load
        self._pause = [0.0] * len(listeners)
        self._again: dict[int, float] = {}
        self._ending = False
        self._reload = False

    def run(self, started: Callable[[], None]) -> None:
        """Until SIGTERM or SIGINT; all workers have ended then.

        started   called once all workers are ready

        Raises ArtefactError where the model cannot be used.
        """
        self._life, self._alive = os.pipe()
        reading, writing = socket.socketpair()
        for end in (reading, writing):
            end.setblocking(False)
        self._wakes = reading
        before = {number: signal.signal(number, _nothing) for number in _SIGNALS}
        wakeup = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
        try:
            known = self._stamp()
            self._model = self._loaded()
            if why := self._raise_generation():
                raise HeadstartError(f"the model cannot be served: {why}")
            if not self._ending:
                started()
            self._watch(known)
        finally:
            self._end_all()
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)
            for end in (reading, writing):
                end.close()
            for pipe in (self._life, self._alive):
                os.close(pipe)

    def _loaded(self) -> Callable[[], Served]:
        if not self._shared:
            return self._load
        served = self._load()
        served.set_up_to_fork()
        return lambda: served

    def _watch(self, known: object) -> None:
        tried = known
        while not self._ending:
            self._wait(self._poll or 1.0)
            self._bury()
            self._replace()
            now = self._stamp() if self._poll else known
            if self._reload or (now != known and now == tried):
                self._reload, known = False, now
                self._try_new_model()
            tried = now

    def _wait(self, seconds: float, pipes: Sequence[int] = ()) -> list[int]:
        """Until a signal comes, or one of the pipes has something to say; those that have."""
        wakes = self._wakes.fileno()
        ready, _, _ = select.select([wakes, *pipes], [], [], seconds)
        if wakes in ready:
            received = set(self._wakes.recv(4096))
            self._ending = self._ending or bool(received & {signal.SIGTERM, signal.SIGINT})
            self._reload = self._reload or signal.SIGHUP in received
        return [pipe for pipe in ready if pipe != wakes]

    def _try_new_model(self) -> None:
        before, old = self._model, self._generation
        try:
            self._model = self._loaded()
            why = self._raise_generation()
        except Exception as error:
            self._model, why = before, str(error)
        if self._ending:
            return
        if why:
            self._generation, self._model = old, before
            say(f"the new model cannot be used, and the one before goes on: {why}")
            return
        for worker in list(self._workers.values()):
            if worker.generation != self._generation:
                _tell(worker.pid, signal.SIGTERM)
        say("the new model is served")

    def _raise_generation(self) -> str:
        """New workers on all sockets; "" once all of them are ready, else why they are not: they have ended then."""
        self._generation += 1
        fresh = [self._fork(slot) for slot in range(len(self._listeners))]
        until = time.monotonic() + _PATIENCE
        while waiting := [worker for worker in fresh if not worker.ready]:
            if self._ending:
                return ""
            pipes = {worker.says: worker for worker in waiting}
            why = "it was not ready in time" if time.monotonic() > until else ""
            for pipe in self._wait(1.0, list(pipes)):
                why = why or self._heard(pipes[pipe])
            if why:
                for worker in fresh:
                    _tell(worker.pid, signal.SIGKILL)
                return why
        return ""

    def _heard(self, worker: _Worker) -> str:
        """What a worker says: "" where it is ready."""
        words = os.read(worker.says, 8192)
        worker.ready = words == b"+"
        return "" if worker.ready else words.decode(errors="replace") or "its process ended when the model was tried"

    def _fork(self, slot: int) -> _Worker:
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            self._become(slot, writing)
        os.close(writing)
        worker = _Worker(pid, slot, self._generation, reading, time.monotonic())
        self._workers[pid] = worker
        return worker

    def _become(self, slot: int, says: int) -> NoReturn:
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_IGN if number == signal.SIGHUP else signal.SIG_DFL)
            os.close(self._alive)
            for other in self._listeners:
                if other is not self._listeners[slot]:
                    other.close()
            for worker in self._workers.values():
                os.close(worker.says)
            code = self._work(self._model, self._listeners[slot], says, self._life, (self._generation, slot))
        except KeyboardInterrupt:
            code = 130
        finally:
            os._exit(code)

    def _bury(self) -> None:
        """Take note of workers that ended; those of the present model are to be replaced."""
        while self._workers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            worker = self._workers.pop(pid, None)
            if worker is None:
                continue
            os.close(worker.says)
            self._lost(pid)
            if worker.generation == self._generation and not self._ending:
                lived = time.monotonic() - worker.began
                pause = min(_LONGEST_PAUSE, max(0.5, 2 * self._pause[worker.slot])) if lived < _SHORT_LIFE else 0.0
                self._pause[worker.slot] = pause
                self._again[worker.slot] = time.monotonic() + pause
                say(f"worker {pid} ended ({_fate(status)}); another one takes its place")

    def _replace(self) -> None:
        for slot, moment in list(self._again.items()):
            if moment <= time.monotonic():
                del self._again[slot]
                self._fork(slot)

    def _end_all(self) -> None:
        """Tell all workers to end, and wait for them; after the grace they are killed. The sockets are left to them, so
        that each is closed by who empties its queue."""
        for listener in self._listeners:
            listener.close()
        for pid in self._workers:
            _tell(pid, signal.SIGTERM)
        until = time.monotonic() + self._grace + _SHORT_LIFE
        while self._workers and time.monotonic() < until:
            self._wait(0.2)
            self._bury()
        for pid in list(self._workers):
            _tell(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            os.close(self._workers.pop(pid).says)


def _nothing(number: int, frame: object) -> None:
    """The number of the signal comes through the wakeup socket."""


def _tell(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _fate(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
