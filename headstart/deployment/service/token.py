"""The token that a client has to show: required where others than this machine can ask."""

from __future__ import annotations

import hmac
import ipaddress
import os
from pathlib import Path

__all__ = ["VARIABLE", "is_loopback", "shows_token", "token_for"]

VARIABLE = "HEADSTART_TOKEN"
_SHORTEST = 16


def token_for(host: str, file: str | os.PathLike[str] | None = None) -> str | None:
    """The token in `file`, else in the environment; None where there is none and `host` is this machine alone.

    Raises ValueError for a host that others reach without a token, and for a token that is too short to be one.
    """
    words = None if file is None else Path(file).read_text("utf-8").strip()
    source = VARIABLE if file is None else os.fspath(file)
    token = os.environ.get(VARIABLE, "").strip() or None if words is None else words
    if token is None:
        if is_loopback(host):
            return None
        raise ValueError(
            f"--host {host} lets others ask, so a token is needed: set {VARIABLE}, or give --token-file FILE "
            "(python -c 'import secrets; print(secrets.token_urlsafe())' makes one)"
        )
    if len(token) < _SHORTEST or not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError(f"the token in {source} is none: expected at least {_SHORTEST} printable ASCII characters")
    return token


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def shows_token(authorization: str | None, token: str) -> bool:
    """Whether a header `Authorization: Bearer TOKEN` shows it; compared in a time that does not depend on where they
    differ."""
    scheme, _, given = (authorization or "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())
