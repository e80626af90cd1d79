"""The listening sockets: one for each worker where the kernel spreads connections over them, else the same for all.

They belong to the supervisor, so that connections that wait for a worker which was killed wait for the next one.
"""

from __future__ import annotations

import errno
import socket
import sys

from headstart.errors import HeadstartError

__all__ = ["address_of", "listening"]

_BACKLOG = 1024


def listening(host: str, port: int, count: int) -> list[socket.socket]:
    """One for each of `count` workers, all at one address.

    port   0: a free one

    Raises HeadstartError where the port is taken or the host is no address of this machine.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with _bound(family, address, shared=False) as first:  # refuses a port where another service listens
            address = first.getsockname()
        if not (sys.platform == "linux" and count > 1):
            return [_listens(_bound(family, address, shared=False))] * count
        return [_listens(_bound(family, address, shared=True)) for _ in range(count)]
    except OSError as error:
        raise HeadstartError(_why(error, host, port)) from None


def _bound(family: int, address: tuple[object, ...], *, shared: bool) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


def _listens(bound: socket.socket) -> socket.socket:
    bound.listen(_BACKLOG)
    bound.setblocking(False)
    return bound


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is taken: end what listens there, or give another --port (0: a free one)"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"port {port} needs rights that this user has not: give a --port above 1023"
    return f"{host}:{port} cannot be listened at: {error.strerror or error}"


def address_of(listener: socket.socket) -> str:
    """As people type it."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
