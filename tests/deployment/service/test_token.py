"""Who needs a token, where it is read from, and what shows it."""

from __future__ import annotations

import pytest

from headstart.deployment.service.token import VARIABLE, is_loopback, shows_token, token_for

LONG = "0123456789abcdefg"


@pytest.mark.parametrize(
    ("host", "own"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),  # noqa: S104
     ("192.168.0.1", False), ("example.org", False), ("localhost.example.org", False)],
)  # fmt: skip
def test_only_this_machine_needs_none(host, own, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert is_loopback(host) is own
    if own:
        assert token_for(host) is None
    else:
        with pytest.raises(ValueError, match=rf"--host {host} lets others ask, so a token is needed: set {VARIABLE}"):
            token_for(host)


def test_it_comes_from_a_file_or_the_environment_and_is_long_enough(monkeypatch, tmp_path):
    file = tmp_path / "token"
    file.write_text(f"{LONG}\n")
    monkeypatch.setenv(VARIABLE, LONG[::-1])
    assert token_for("0.0.0.0") == LONG[::-1]  # noqa: S104
    assert token_for("127.0.0.1", file) == LONG
    file.write_text("short")
    with pytest.raises(ValueError, match="expected at least 16 printable ASCII characters"):
        token_for("127.0.0.1", file)


@pytest.mark.parametrize(
    ("header", "shows"),
    [(f"Bearer {LONG}", True), (f"bearer  {LONG} ", True), (f"Basic {LONG}", False), (LONG, False), (None, False),
     (f"Bearer {LONG}x", False), ("Bearer ", False), ("Bearer \xff", False)],
)  # fmt: skip
def test_what_shows_it(header, shows):
    assert shows_token(header, LONG) is shows
