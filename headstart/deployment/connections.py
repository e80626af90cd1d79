"""One connection of HTTP, whose client has to send the head of a request in a given time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["timed"]

_TOO_LATE = b'{"error":"the head of the request did not come in time"}'
_ANSWER = (
    b"HTTP/1.1 408 Request Timeout\r\ncontent-type: application/json\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n%b" % (len(_TOO_LATE), _TOO_LATE)
)


def timed(seconds: float) -> Callable[..., H11Protocol]:
    """Makes a connection that ends where the head of a request, or what is left of a body after its answer, takes
    longer than so many seconds; uvicorn has a time limit only between requests."""

    class Timed(H11Protocol):
        _timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._start()

        def connection_lost(self, exc: Exception | None) -> None:
            self._cancel()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.cycle is not None and not self.cycle.response_complete:
                self._cancel()
            elif self._timer is None and self.timeout_keep_alive_task is None:
                self._start()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._cancel()

        def _start(self) -> None:
            self._timer = self.loop.call_later(seconds, self._end)

        def _cancel(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

        def _end(self) -> None:
            if not self.transport.is_closing():
                if self.conn.our_state is h11.IDLE:
                    self.transport.write(_ANSWER)
                self.transport.close()

    return Timed
