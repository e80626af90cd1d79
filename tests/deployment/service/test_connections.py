"""Connections of HTTP byte by byte, by httptools and by h11: what is late or too large ends."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager

import pytest
import uvicorn

from headstart.deployment.service.connections import HEAD, timed

pytestmark = pytest.mark.parametrize("fast", [pytest.param(True, id="httptools"), pytest.param(False, id="h11")])

POST = b"POST /predict HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\n"
LIMIT = 60


async def echo(scope, receive, send):
    """Answers with the body, once it is there; /early before it is."""
    body = b""
    while scope["path"] != "/early":
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def connected(fast, seconds):
    """The two ends of a connection to a server of such connections."""
    if fast:
        pytest.importorskip("httptools")
    config = uvicorn.Config(echo, http=timed(seconds, fast=fast), ws="none", lifespan="off", log_config=None)
    config.load()
    state = uvicorn.Server(config).server_state
    server = await asyncio.get_running_loop().create_server(
        lambda: config.http_protocol_class(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    try:
        async with asyncio.timeout(LIMIT):
            yield reader, writer
    finally:
        writer.close()
        server.close()


def replies(fast, *parts, seconds=LIMIT, pause=0.0, end=False):
    """What comes back for some bytes, until the connection ends, or `end` ends what is sent."""

    async def story():
        async with connected(fast, seconds) as (reader, writer):
            for part in parts:
                writer.write(part)
                await asyncio.sleep(pause)
            if end:
                await writer.drain()
                writer.write_eof()
            return await reader.read()

    return asyncio.run(story())


@pytest.mark.parametrize("sent", [b"", b"POST /predict HTTP/1.1\r\nhost: a\r\nx-"])
def test_a_head_that_does_not_come_in_time_is_told_so(fast, sent):
    got = replies(fast, sent, seconds=0.05)
    assert got.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert got.endswith(b'{"error":"the head of the request did not come in time"}')


def test_the_head_of_a_second_request_has_its_time_too(fast):
    got = replies(fast, POST + b"four", POST[:30], seconds=0.1, pause=0.02)
    assert [int(status) for status in re.findall(rb"HTTP/1.1 (\d+)", got)] == [200, 408]


def test_what_is_left_of_a_body_after_its_answer_has_a_time_and_no_second_answer(fast):
    early = b"POST /early HTTP/1.1\r\nhost: a\r\ncontent-length: 99\r\n\r\n"
    got = replies(fast, early, b"some", seconds=0.1, pause=0.03)
    assert [int(status) for status in re.findall(rb"HTTP/1.1 (\d+)", got)] == [200]


def test_a_request_that_waits_for_its_body_is_not_ended_by_the_time_of_heads(fast):
    got = replies(fast, POST, b"fo", b"ur" + POST[:-4] + b"\r\nconnection: close\r\n\r\nfive", seconds=0.05, pause=0.1)
    assert got.count(b"HTTP/1.1 200") == 2
    assert b"four" in got
    assert got.endswith(b"five")


def status_of(fast, parts):
    """Of what comes back where all that is sent may not be read; 0: the connection was ended before."""

    async def story():
        async with connected(fast, LIMIT) as (reader, writer):
            try:
                for part in parts:
                    writer.write(part)
                    await writer.drain()
                return int((await reader.readuntil(b"\r\n"))[9:12])
            except (ConnectionError, asyncio.IncompleteReadError):
                return 0

    return asyncio.run(story())


@pytest.mark.parametrize(
    "head",
    [b"GET / HTTP/1.1\r\nx: " + b"a" * 40 * HEAD, b"GET / HTTP/1.1\r\n" + b"x-header: 1\r\n" * 4 * HEAD],
    ids=["a long one", "many"],
)
def test_a_head_without_end_is_refused(fast, head):
    assert status_of(fast, [head]) in (0, 400, 431)


def test_a_head_that_is_a_little_too_large_is_told_so(fast):
    assert status_of(fast, [b"GET / HTTP/1.1\r\nx: ", b"a" * (HEAD + 10)]) in (400, 431)


def test_a_large_body_in_one_piece_is_no_large_head(fast):
    body = b"a" * 5 * HEAD
    head = b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
    got = replies(fast, head + body)
    assert got.startswith(b"HTTP/1.1 200")
    assert got.endswith(body)


def test_trailers_without_end_are_refused(fast):
    start = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
    assert status_of(fast, [start, *[b"x-trailer: aaaaaaaaaaaaaaaaaa\r\n" * 1000] * 40]) in (0, 400, 431)
