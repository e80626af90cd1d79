"""Another worker of the service, as one that hands requests over to it sees it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

from headstart.deployment.service.frames import ANSWER, IDLE, Frame, answer_from_bytes, of_input, read_frame
from headstart.deployment.service.served import Answer

__all__ = ["Peer", "closed"]


async def closed(writer: asyncio.StreamWriter) -> None:
    """End a connection, and wait until it has ended."""
    writer.close()
    with suppress(OSError):  # it broke off
        await writer.wait_closed()


class Peer:
    """Behind a socket in the file system, to which a connection is made when it is needed. Of one loop."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._connecting = asyncio.Lock()
        self._numbers = count()
        self._answers: dict[int, asyncio.Future[Answer | None]] = {}

    async def ask(self, item: Any) -> Answer | None:
        """Its answer to an input; None where it has none, or cannot be reached any more."""
        writer = await self._connected()
        if writer is None:
            return None
        number = next(self._numbers)
        answer: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        writer.write(of_input(number, item).to_bytes())
        try:
            return await answer
        finally:
            del self._answers[number]

    async def tell_idle(self) -> None:
        """That this worker has nothing to do."""
        if (writer := await self._connected()) is not None:
            writer.write(Frame(IDLE, 0).to_bytes())

    async def close(self) -> None:
        """End the connection; what it was asked it does not answer any more."""
        if self._writer is not None:
            self._writer.close()
        if self._reading is not None:
            await self._reading

    async def _connected(self) -> asyncio.StreamWriter | None:
        async with self._connecting:
            if self._writer is None:
                try:
                    reader, self._writer = await asyncio.open_unix_connection(self._path)
                except OSError:  # it is not there yet, or not any more
                    return None
                self._reading = asyncio.get_running_loop().create_task(self._read(reader, self._writer))
            return self._writer

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (frame := await read_frame(reader)) is not None:
            answer = self._answers.get(frame.number)
            if answer is not None and not answer.done():
                answer.set_result(answer_from_bytes(frame.content) if frame.kind == ANSWER else None)
        self._writer = None
        for answer in self._answers.values():
            if not answer.done():
                answer.set_result(None)
        await closed(writer)
