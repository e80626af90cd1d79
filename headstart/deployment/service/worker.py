"""One process that answers: an event loop for connections, and beside it one thread that calculates.

It ends when it is told to (SIGTERM), or when its supervisor is gone: it takes no new connections, answers every request
that it holds, tells each client to connect anew, and goes when the last connection is closed.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import uvicorn
from threadpoolctl import threadpool_limits
from uvicorn.loops.auto import auto_loop_factory

from headstart.deployment.service.app import Page, app_of
from headstart.deployment.service.connections import timed
from headstart.deployment.service.limits import Limits
from headstart.deployment.service.metrics import Metrics
from headstart.deployment.service.observer import Observer
from headstart.deployment.service.served import Served
from headstart.deployment.service.service import Service
from headstart.deployment.service.supervisor import say
from headstart.deployment.service.trial import try_model
from headstart.deployment.service.work_sharing import WorkSharing
from headstart.features.engines.recorded import inherit
from headstart.transfer import Transfer

__all__ = ["READY", "WorkerOptions", "work"]

READY = b"+"
"""What a worker says when it can be asked; what it says in its place is why it cannot."""

KEEP_ALIVE = 5
_TICK = 0.02


@dataclass(frozen=True, kw_only=True)
class WorkerOptions:
    """What all workers of a service have in common; see `app.app_of`.

    observer   makes who is told of each batch, of a fitted model and the metrics
    grace      seconds until requests that are not answered when it ends are given up
    """

    limits: Limits = field(default_factory=Limits)
    token: str | None = None
    cors: Sequence[str] = ()
    page: Page | None = None
    observer: Callable[[Transfer, Metrics], Observer | None] | None = None
    grace: float = 30.0


def work(
    load: Callable[[], Served],
    listener: socket.socket,
    options: WorkerOptions,
    says: int,
    life: int,
    sharing: Callable[[], WorkSharing | None] = lambda: None,
) -> int:
    """The life of a worker; its exit code.

    says      a pipe on which it tells that it is ready, or why it is not
    life      a pipe that is closed when the supervisor is gone
    sharing   makes what it shares requests with other workers by
    """
    threadpool_limits(1)
    inherit(os.getppid())
    gc.freeze()  # a collection would look at all that was loaded, and copy every page of it that the workers share
    try:
        served = load()
        try_model(served)
        metrics = Metrics()
        observer = None if options.observer is None else options.observer(served.fitted, metrics)
        service = Service(served, options.limits, metrics, observer, sharing())
        gc.freeze()  # and the requests would wait for it, .15 s
        with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
            runner.run(_Ending(service, options, says, life).serve(listener))
    except Exception as error:
        os.write(says, str(error).encode()[:4096] or type(error).__name__.encode())
        return 1
    sys.stderr.flush()
    return 0


class _Ending:
    """A server that can be told to end."""

    def __init__(self, service: Service, options: WorkerOptions, says: int, life: int) -> None:
        self._service, self._options, self._says, self._life = service, options, says, life
        self._end = asyncio.Event()

    async def serve(self, listener: socket.socket) -> None:
        """Until it was told to end, and has answered."""
        options, service = self._options, self._service
        app = app_of(service, page=options.page, token=options.token, cors=options.cors, closing=self._end.is_set)
        config = uvicorn.Config(
            app,
            http=timed(options.limits.header_seconds),  # type: ignore[arg-type]
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE,
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started and not serving.done():
            await asyncio.sleep(_TICK)
        try:
            await service.share()
        except OSError as error:
            say(f"worker {os.getpid()} answers its own requests only: {error}")
        self._listen_to_signals()
        os.write(self._says, READY)
        await asyncio.wait({serving, asyncio.create_task(self._end.wait())}, return_when=asyncio.FIRST_COMPLETED)
        await self._drain(server, listener)
        await service.share_no_more()
        server.should_exit = True
        await serving
        service.stop()

    def _listen_to_signals(self) -> None:
        """In place of uvicorn's own, which end connections that wait for their next request. Ctrl-C is the
        supervisor's affair."""
        loop = asyncio.get_running_loop()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        loop.add_signal_handler(signal.SIGTERM, self._end.set)
        loop.add_reader(self._life, self._supervisor_gone)

    def _supervisor_gone(self) -> None:
        asyncio.get_running_loop().remove_reader(self._life)
        self._end.set()

    async def _drain(self, server: Any, listener: socket.socket) -> None:
        """Take what stands in the queue of the socket, and no more; then wait until the last connection is closed."""
        self._service.ready = False
        loop, waiting = asyncio.get_running_loop(), _queued(listener)
        for part in server.servers:
            part.close()
        config, state = server.config, server.server_state
        made: Any = partial(config.http_protocol_class, config=config, server_state=state, app_state={})
        for connection in waiting:
            await loop.connect_accepted_socket(made, connection)
        until = loop.time() + self._options.grace
        while state.connections and loop.time() < until:
            await asyncio.sleep(_TICK)


def _queued(listener: socket.socket) -> list[socket.socket]:
    """The connections that stand in the queue of a listening socket that does not block."""
    waiting = []
    while True:
        try:
            waiting.append(listener.accept()[0])
        except OSError:  # no more; or closed already
            return waiting
