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
from typing import Any

from headstart.deployment.service.batcher import Asked, Batcher
from headstart.deployment.service.frames import ANSWER, FAILED, IDLE, Frame, answer_to_bytes, input_of, read_frame
from headstart.deployment.service.handover import Handover
from headstart.deployment.service.load_table import LoadTable
from headstart.deployment.service.peer import Peer

__all__ = ["WorkSharing"]


class WorkSharing:
    """Of one worker. Raises OSError where the folder cannot be used.

    folder    private to the service and to one model of it, the same for all its workers
    slot      number of this worker, of so many `workers`
    """

    def __init__(self, folder: Path, slot: int, workers: int) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._place = folder / str(slot)
        self._table = LoadTable(folder / "load", slot, workers)
        self._peers = {other: Peer(folder / str(other)) for other in range(workers) if other != slot}
        self._handover = Handover()
        self._tasks: set[asyncio.Task[None]] = set()
        self._connections: set[asyncio.StreamWriter] = set()
        self._batcher: Batcher | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: asyncio.Server | None = None

    async def start(self, batcher: Batcher) -> None:
        """Take what others hand over, and let them have what waits in this batcher. Raises OSError."""
        self._place.unlink(missing_ok=True)  # of a worker that was killed
        self._server = await asyncio.start_unix_server(self._serve, self._place)
        self._batcher, self._loop = batcher, asyncio.get_running_loop()
        self.load(False, batcher.waiting)

    async def stop(self) -> None:
        """Take nothing more, and answer what was taken."""
        self._loop = None
        self._table.write(idle=False, waiting=0)
        if self._server is not None:
            self._server.close()
            self._place.unlink(missing_ok=True)
        while self._tasks:
            await asyncio.wait(self._tasks)
        for peer in self._peers.values():
            peer.close()
        for connection in self._connections:
            connection.close()

    def load(self, calculating: bool, waiting: int) -> None:
        """See `batcher.Load`."""
        loop, idle = self._loop, not (calculating or waiting)
        if loop is None:
            return
        self._table.write(idle=idle, waiting=waiting)
        if idle and (busiest := self._table.busiest()) is not None:
            with suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(lambda: self._begin(self._peers[busiest].tell_idle()))

    def offer(self) -> None:
        """Hand over what waits here as long as another worker is idle. To be called in the loop."""
        if self._loop is None or self._batcher is None:
            return
        while (slot := self._table.idle()) is not None and (asked := self._batcher.release()) is not None:
            self._table.claim(slot)
            self._begin(self._give(self._peers[slot], asked, self._batcher))

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
        self._connections.add(writer)
        while (frame := await read_frame(reader)) is not None:
            if frame.kind == IDLE:
                self.offer()
            else:
                self._begin(self._answer(frame, writer))
        self._connections.discard(writer)
        writer.close()

    async def _answer(self, frame: Frame, writer: asyncio.StreamWriter) -> None:
        reply = Frame(FAILED, frame.number)
        if self._batcher is not None:
            try:
                answers = await self._handover.result(self._batcher.ask([input_of(frame)]))
                reply = Frame(ANSWER, frame.number, answer_to_bytes(answers[0]))
            except Exception:  # it fails again where the request came from, and is told of there
                reply = Frame(FAILED, frame.number)
        writer.write(reply.to_bytes())
