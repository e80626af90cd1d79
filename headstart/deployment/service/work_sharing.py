"""Requests that wait in one worker are answered by another that has nothing to do.

The kernel spreads connections over the workers, and not requests: one may stand behind three others while the next
worker is idle. Each worker listens at a socket in a folder of the service, where the others hand it requests of a
single picture, recording or text; its answers are theirs, for all of them serve one model. A worker that becomes idle
tells the one in which most requests wait. What a worker cannot answer any more, or not, is answered where it came from.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from headstart.deployment.service.batcher import Asked, Batcher
from headstart.deployment.service.frames import ANSWER, FAILED, IDLE, Frame, answer_to_bytes, input_of, read_frame
from headstart.deployment.service.handover import Handover
from headstart.deployment.service.load_table import LoadTable
from headstart.deployment.service.peer import Peer, closed

__all__ = ["WorkSharing"]


class _Begun(NamedTuple):
    """What there is between start and stop."""

    batcher: Batcher
    table: LoadTable
    loop: asyncio.AbstractEventLoop
    server: asyncio.Server


class WorkSharing:
    """Of one worker.

    folder    private to the service and to one model of it, the same for all its workers
    slot      number of this worker, of so many `workers`
    """

    def __init__(self, folder: Path, slot: int, workers: int) -> None:
        self._folder, self._slot, self._workers = folder, slot, workers
        self._peers = {other: Peer(folder / str(other)) for other in range(workers) if other != slot}
        self._handover = Handover()
        self._tasks: set[asyncio.Task[None]] = set()
        self._connections: dict[asyncio.StreamWriter, asyncio.Future[None]] = {}
        self._begun: _Begun | None = None

    async def start(self, batcher: Batcher) -> None:
        """Take what others hand over, and let them have what waits in this batcher. Raises OSError where the folder
        cannot be used; nothing is shared then."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        table = LoadTable(self._folder / "load", self._slot, self._workers)
        place = self._folder / str(self._slot)
        place.unlink(missing_ok=True)  # of a worker that was killed
        server = await asyncio.start_unix_server(self._serve, place)
        self._begun = _Begun(batcher, table, asyncio.get_running_loop(), server)
        self.load(False, batcher.waiting)

    async def stop(self) -> None:
        """Take nothing more, and answer what was taken."""
        begun, self._begun = self._begun, None
        if begun is None:
            return
        begun.table.write(idle=False, waiting=0)
        begun.server.close()
        while self._tasks:
            await asyncio.wait(self._tasks)
        for peer in self._peers.values():
            await peer.close()
        for connection in self._connections:
            connection.close()
        await asyncio.gather(*self._connections.values())

    def load(self, calculating: bool, waiting: int) -> None:
        """See `batcher.Load`."""
        begun, idle = self._begun, not (calculating or waiting)
        if begun is None:
            return
        begun.table.write(idle=idle, waiting=waiting)
        if idle and (busiest := begun.table.busiest()) is not None:
            with suppress(RuntimeError):  # the loop was closed meanwhile
                begun.loop.call_soon_threadsafe(lambda: self._begin(self._peers[busiest].tell_idle()))

    def offer(self) -> None:
        """Hand over what waits here as long as another worker is idle. To be called in the loop."""
        if (begun := self._begun) is None:
            return
        while (slot := begun.table.idle()) is not None and (asked := begun.batcher.release()) is not None:
            begun.table.claim(slot)
            self._begin(self._give(self._peers[slot], asked, begun.batcher))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _give(self, peer: Peer, asked: Asked, batcher: Batcher) -> None:
        answer = await peer.ask(asked.items[0])
        if answer is None:
            batcher.take_back(asked)
        else:
            asked.add([answer])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of another worker."""
        served = asyncio.get_running_loop().create_future()
        self._connections[writer] = served
        try:
            while (begun := self._begun) is not None and (frame := await read_frame(reader)) is not None:
                if frame.kind == IDLE:
                    self.offer()
                else:
                    self._begin(self._answer(frame, writer, begun.batcher))
            await closed(writer)
        finally:
            writer.close()
            del self._connections[writer]
            served.set_result(None)

    async def _answer(self, frame: Frame, writer: asyncio.StreamWriter, batcher: Batcher) -> None:
        try:
            answers = await self._handover.result(batcher.ask([input_of(frame)]))
            reply = Frame(ANSWER, frame.number, answer_to_bytes(answers[0]))
        except Exception:  # it fails again where the request came from, and is told of there
            reply = Frame(FAILED, frame.number)
        writer.write(reply.to_bytes())
