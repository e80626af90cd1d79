"""A client that costs little, so that the service is measured and not the client: requests are bytes made beforehand,
and of an answer the status and the length are read. Shared by serve.py and serve_soak.py."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

__all__ = ["Connection", "Service", "memory", "post", "service"]

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


def post(path: str, body: bytes, kind: str, *, length: int | None = None) -> bytes:
    """A request as bytes; `length` announces another one than it has."""
    size = len(body) if length is None else length
    head = f"POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: {kind}\r\ncontent-length: {size}\r\n\r\n"
    return head.encode() + body


class Connection:
    """One that stays open as long as the service lets it."""

    def __init__(self, host: str, port: int) -> None:
        self._at = host, port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, request: bytes) -> int:
        """The status of the answer. OSError, or EOFError where the connection ends before it."""
        if self._writer is None or self._reader is None or self._reader.at_eof():
            await self.close()
            self._reader, self._writer = await asyncio.open_connection(*self._at)
        assert self._reader is not None
        assert self._writer is not None
        self._writer.write(request)
        await self._writer.drain()
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if length is not None:
            await self._reader.readexactly(int(length[1]))
        if b"connection: close" in head.lower():
            await self.close()
        return int(head[9:12])

    async def send_and_leave(self, some: bytes) -> None:
        """Part of a request, and then the connection ends."""
        await self.close()
        _, writer = await asyncio.open_connection(*self._at)
        writer.write(some)
        await writer.drain()
        writer.close()

    async def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


class Service(NamedTuple):
    """A service in a process of its own."""

    process: subprocess.Popen[str]
    host: str
    port: int

    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(child) for child in children]

    def seconds(self) -> float:
        """What the processors worked for the workers that live."""
        total = 0.0
        for pid in self.workers():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / 100
        return total


@contextmanager
def service(model: Path, *words: object) -> Iterator[Service]:
    """`headstart serve` on a free port, until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "headstart", "serve", str(model), "--port", "0", *map(str, words)],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            sys.stderr.write(line)
            if address := re.search(r"http://([\d.]+):(\d+)", line):
                break
        else:
            raise SystemExit("the service did not start")
        threading.Thread(target=_passed_on, args=(process.stderr,), daemon=True).start()
        yield Service(process, address[1], int(address[2]))
    finally:
        process.terminate()
        began = time.perf_counter()
        process.wait(120)
        sys.stderr.write(f"ended in {time.perf_counter() - began:.1f} s with {process.returncode}\n")


def _passed_on(stream: IO[str]) -> None:
    """Read to its end, so that the service never waits for room in the pipe."""
    for line in stream:
        sys.stderr.write(line)


def memory(pids: list[int]) -> float:
    """Proportional set size of some processes together, in MB: shared pages count once."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024
