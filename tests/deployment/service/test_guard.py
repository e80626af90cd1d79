"""What stands around the application: what a client that leaves is counted as."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from headstart.deployment.service.guard import Guard
from headstart.deployment.service.limits import Limits
from headstart.deployment.service.metrics import Metrics


def test_a_client_that_leaves_is_counted_apart_and_is_no_fault(capfd):
    async def reading(scope, receive, send):
        await Request(scope, receive).body()

    messages = [{"type": "http.request", "body": b"half", "more_body": True}, {"type": "http.disconnect"}]

    async def receive():
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message):
        del message

    metrics = Metrics()
    guard = Guard(reading, Limits(), metrics, None, lambda: False)
    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": [], "query_string": b""}
    asyncio.run(guard(scope, receive, send))
    assert b'headstart_requests_total{path="other",status="499"} 1.0' in metrics.page()
    assert capfd.readouterr() == ("", "")
