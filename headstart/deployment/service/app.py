"""The application: all routes of a served model behind the guard."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from headstart.data.installed import installed_version
from headstart.deployment.service.guard import App, Endpoint, Guard, Receive, Send, left_to_guard
from headstart.deployment.service.replies import reply
from headstart.deployment.service.routes import plain_routes
from headstart.deployment.service.service import Service
from headstart.deployment.service.v2 import v2_routes
from headstart.transfer import Transfer

__all__ = ["Page", "app_of"]

Page = Callable[[Transfer], str]
"""Makes the page at / of a fitted model: HTML that posts to /predict."""


def app_of(
    service: Service,
    *,
    page: Page | None = None,
    token: str | None = None,
    cors: Sequence[str] = (),
    closing: Callable[[], bool] = lambda: False,
) -> App:
    """An ASGI application.

    page      makes the page at /; None: there is none
    token     that each request has to show, but for those in `guard.OPEN`; None: none is needed
    cors      origins whose pages may ask, such as "https://example.org"; a browser is told of no others
    closing   whether connections are to end with the answer that they wait for
    """
    application = FastAPI(title="headstart", version=installed_version("headstart"), docs_url=None, redoc_url=None)
    routes = [
        *plain_routes(service),
        *v2_routes(service),
        *([] if page is None else [("GET", "/", _page(service, page))]),
    ]
    for method, path, endpoint in routes:
        application.add_route(path, left_to_guard(path, endpoint), methods=[method])
    application.add_exception_handler(HTTPException, _not_here)
    fixed = {(method, path): left_to_guard(path, endpoint) for method, path, endpoint in routes if "{" not in path}
    guarded: App = Guard(_Direct(fixed, application), service.limits, service.metrics, token, closing)
    if not cors:
        return guarded
    return CORSMiddleware(guarded, list(cors), allow_methods=["GET", "POST"], allow_headers=["authorization"])


class _Direct:
    """An ASGI application that calls endpoints of fixed paths at once, and leaves everything else to another: the
    routing and the middleware of a framework cost more than what such an endpoint does itself.

    fixed   by method and path
    """

    def __init__(self, fixed: Mapping[tuple[str, str], Endpoint], other: App) -> None:
        self._fixed, self._other = fixed, other

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """See ASGI."""
        endpoint = self._fixed.get((scope.get("method", ""), scope.get("path", "")))
        if endpoint is None:
            await self._other(scope, receive, send)
            return
        response = await endpoint(Request(scope, receive, send))
        await response(scope, receive, send)


def _page(service: Service, page: Page) -> Endpoint:
    html = page(service.served.fitted)

    async def show(request: Request) -> Response:
        """The page for people."""
        return HTMLResponse(html, headers={"x-content-type-options": "nosniff", "x-frame-options": "DENY"})

    return show


async def _not_here(request: Request, error: Any) -> Response:
    """A path or a method that there is none of."""
    words = {404: "there is no such path", 405: f"not by {request.method}"}.get(error.status_code, str(error.detail))
    return reply({"error": words}, error.status_code, dict(error.headers or {}))
