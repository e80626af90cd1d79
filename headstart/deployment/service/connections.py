"""One connection of HTTP, whose client has to send the head of a request in a given time and size.

By httptools where that is installed, which costs a third of what h11 does; else by h11. uvicorn has a time limit only
between requests, and with httptools none on the size of a head.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

__all__ = ["HEAD", "timed"]

HEAD = 1 << 16
"""Bytes that the head of a request may have, and what may stand behind a body."""


def _answer(status: bytes, words: bytes) -> bytes:
    body = b'{"error":"%b"}' % words
    return (
        b"HTTP/1.1 %b\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b"
        % (status, len(body), body)
    )  # fmt: skip


_TOO_LATE = _answer(b"408 Request Timeout", b"the head of the request did not come in time")
_TOO_LARGE = _answer(b"431 Request Header Fields Too Large", b"the head of the request is more than 64 KiB")


def timed(seconds: float, *, fast: bool | None = None) -> Callable[..., asyncio.Protocol]:
    """Makes a connection that ends where the head of a request, or what is left of a body after its answer, takes
    longer than so many seconds.

    fast   by httptools; None: where it is installed
    """
    if fast is None:
        fast = find_spec("httptools") is not None
    return _by_httptools(seconds) if fast else _by_h11(seconds)


class _Clock:
    """Of one connection: until when the client has to have sent what is missing.

    too_late   called when the time is over
    """

    def __init__(self, seconds: float, too_late: Callable[[], None]) -> None:
        self._seconds, self._too_late = seconds, too_late
        self._timer: asyncio.TimerHandle | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on."""
        self._timer = loop.call_later(self._seconds, self._too_late)

    def stop(self) -> None:
        """The time does not count now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def follow(self, connection: Any) -> None:
        """After bytes came: the time counts unless a request waits for its answer, or the next one is to begin."""
        if connection.cycle is not None and not connection.cycle.response_complete:
            self.stop()
        elif self._timer is None and connection.timeout_keep_alive_task is None:
            self.start(connection.loop)


def _by_h11(seconds: float) -> Callable[..., asyncio.Protocol]:
    import h11
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Timed(H11Protocol):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._clock = _Clock(seconds, self._end)
            self._clock.start(self.loop)

        def connection_lost(self, exc: Exception | None) -> None:
            self._clock.stop()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._clock.follow(self)

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._clock.stop()

        def _end(self) -> None:
            if not self.transport.is_closing():
                if self.conn.our_state is h11.IDLE:
                    self.transport.write(_TOO_LATE)
                self.transport.close()

    return Timed


def _by_httptools(seconds: float) -> Callable[..., asyncio.Protocol]:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    class Timed(HttpToolsProtocol):
        """`_in_head`: the head of a request has begun, or the first is to; `_idle`: bytes since there was any progress
        in the body of one."""

        _in_head, _idle, _progress = True, 0, False

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._clock = _Clock(seconds, self._end)
            self._clock.start(self.loop)

        def connection_lost(self, exc: Exception | None) -> None:
            self._clock.stop()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            self._progress = False
            super().data_received(data)
            self._idle = 0 if self._progress else self._idle + len(data)
            if self._idle > HEAD and not self.transport.is_closing():
                if self._in_head:
                    self.transport.write(_TOO_LARGE)
                self.transport.close()
            self._clock.follow(self)

        def on_message_begin(self) -> None:
            self._in_head = True
            super().on_message_begin()

        def on_headers_complete(self) -> None:
            self._in_head, self._progress = False, True
            super().on_headers_complete()

        def on_body(self, body: bytes) -> None:
            self._progress = True
            super().on_body(body)

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._clock.stop()

        def _end(self) -> None:
            if not self.transport.is_closing():
                if self._in_head:
                    self.transport.write(_TOO_LATE)
                self.transport.close()

    return Timed
