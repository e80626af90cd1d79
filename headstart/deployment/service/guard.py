"""What stands before every route: the token, the limits of a body, the time a request may take, and words for errors.

Nothing that a request holds is written anywhere: of an error that nobody foresaw its type and place are.
"""

from __future__ import annotations

import asyncio
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from headstart.deployment.service.limits import Limits
from headstart.deployment.service.metrics import Metrics
from headstart.deployment.service.refusal import Refusal, too_large, too_late
from headstart.deployment.service.replies import reply
from headstart.deployment.service.token import shows_token
from headstart.errors import DataError

__all__ = ["OPEN", "Endpoint", "Guard", "left_to_guard"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Endpoint = Callable[[Request], Awaitable[Response]]
App = Callable[[Any, Receive, Send], Awaitable[None]]

OPEN = frozenset({"/", "/health", "/ready", "/v2/health/live", "/v2/health/ready"})
"""Paths that need no token: those that a load balancer asks, and the page, which asks for the token itself."""

_ERROR, _PATH = "headstart.error", "headstart.path"
_LINGER = 1.0


class _Unsent(Response):
    """An answer that the guard gives in its place."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """See Starlette."""


def left_to_guard(path: str, endpoint: Endpoint) -> Endpoint:
    """The endpoint of a path, whose errors the guard answers: the framework's own way prints them with what they
    hold."""

    async def call(request: Request) -> Response:
        request.scope[_PATH] = path
        try:
            return await endpoint(request)
        except Exception as error:
            request.scope[_ERROR] = error
            return _Unsent()

    return call


class Guard:
    """An ASGI application around another.

    token     None: none is needed
    closing   whether connections are to end with the answer that they wait for
    """

    def __init__(self, app: App, limits: Limits, metrics: Metrics, token: str | None, closing: Callable[[], bool]):
        self._app, self._limits, self._metrics = app, limits, metrics
        self._token, self._closing = token, closing

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Sent(send, self._closing)
        body = _Body(receive, self._limits)
        start = time.perf_counter()
        try:
            self._check(scope)
            body.check(scope)
            async with asyncio.timeout(self._limits.answer_seconds):
                await self._app(scope, body, answer)
            if (error := scope.get(_ERROR)) is not None:
                raise error
        except Exception as error:
            if answer.status:  # it has begun: the connection breaks off
                raise
            await self._refuse(_refusal(error, self._limits), scope, body, answer)
        path = scope.get(_PATH, "other")
        self._metrics.request(path, answer.status, time.perf_counter() - start)

    def _check(self, scope: Any) -> None:
        if self._token is None or scope["path"] in OPEN:
            return
        headers = dict(scope["headers"])
        if not shows_token(headers.get(b"authorization", b"").decode("latin-1"), self._token):
            words = "a token is needed: send it as the header authorization: Bearer TOKEN"
            raise Refusal(401, words, {"www-authenticate": "Bearer"})

    async def _refuse(self, refusal: Refusal, scope: Any, body: _Body, answer: _Sent) -> None:
        """In words. What is left of a body is thrown away for a moment, so that its sender comes to read them; then the
        connection ends."""
        unread = not body.complete
        headers = refusal.headers | ({"connection": "close"} if unread else {})
        response = reply({"error": refusal.words}, refusal.status, headers)
        start = {"type": "http.response.start", "status": refusal.status, "headers": response.raw_headers}
        await answer(start)
        await answer({"type": "http.response.body", "body": response.body, "more_body": unread})
        if unread:
            await body.drop(_LINGER)
            await answer({"type": "http.response.body", "body": b"", "more_body": False})


class _Sent:
    """What goes out, of which the status is known afterwards; 0: nothing went out yet."""

    def __init__(self, send: Send, closing: Callable[[], bool]) -> None:
        self._send, self._closing = send, closing
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [*message.get("headers", ())]
            if self._closing() and all(name.lower() != b"connection" for name, _ in headers):
                headers.append((b"connection", b"close"))
            message = {**message, "headers": headers}
        await self._send(message)


class _Body:
    """What comes in, counted and timed."""

    def __init__(self, receive: Receive, limits: Limits) -> None:
        self._receive, self._limits = receive, limits
        self._size = 0
        self._until = time.perf_counter() + limits.body_seconds
        self.complete = False

    def check(self, scope: Any) -> None:
        """Refuse by what the head of a request announces."""
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._limits.body:
            raise self._too_large()
        if scope["method"] in ("GET", "HEAD") and length == b"0":
            self.complete = True

    async def __call__(self) -> Message:
        if self.complete:
            return await self._receive()
        try:
            async with asyncio.timeout(max(0.0, self._until - time.perf_counter())):
                message = await self._receive()
        except TimeoutError:
            raise too_late("the body", self._limits.body_seconds) from None
        self._size += len(message.get("body", b""))
        self.complete = not message.get("more_body", False)
        if self._size > self._limits.body:
            raise self._too_large()
        return message

    async def drop(self, seconds: float) -> None:
        """Throw away what still comes, for so long."""
        until = time.perf_counter() + seconds
        while not self.complete and (left := until - time.perf_counter()) > 0:
            try:
                async with asyncio.timeout(left):
                    message = await self._receive()
            except TimeoutError:
                return
            self.complete = message["type"] == "http.disconnect" or not message.get("more_body", False)

    def _too_large(self) -> Refusal:
        return too_large("the body", f"{self._limits.body / (1 << 20):.3g} MiB")


def _refusal(error: Exception, limits: Limits) -> Refusal:
    """What a client is told of an error."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, DataError):
        return Refusal(422, str(error))
    if isinstance(error, ClientDisconnect):  # nobody hears it; for the metrics, which count it apart
        return Refusal(499, "the client left before its request was whole")
    if isinstance(error, TimeoutError):
        return Refusal(504, f"no answer within {limits.answer_seconds:g} s: ask again, or for less at a time")
    frame = traceback.extract_tb(error.__traceback__)[-1]
    sys.stderr.write(f"headstart serve: {type(error).__name__} at {frame.name}, line {frame.lineno}\n")
    return Refusal(500, f"the service failed ({type(error).__name__}), which is a fault of its own")
