"""The verb `federate`: a model of the data of many owners, which stay where they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from headstart.cli.arguments import AsJson
from headstart.cli.streams import show_saved

if TYPE_CHECKING:
    from headstart.listener import Listener

__all__ = ["federate"]

T = TypeVar("T")


def federate(
    clients: Annotated[str, typer.Argument(help="A clients.toml: who takes part, and where their data are")],
    out: Annotated[Path | None, typer.Option("--out", help="Where to save the model")] = None,
    serve: Annotated[
        str | None, typer.Option("--serve", help="Wait at HOST:PORT for clients that --join, instead of a simulation")
    ] = None,
    join: Annotated[str | None, typer.Option("--join", help="Take part, at the server at HOST:PORT")] = None,
    name: Annotated[str | None, typer.Option("--as", help="With --join: which client of the file this is")] = None,
    certificate: Annotated[
        Path | None, typer.Option("--certificate", help="With --serve: the server's certificate, PEM")
    ] = None,
    key: Annotated[Path | None, typer.Option("--key", help="With --serve: its key, PEM")] = None,
    ca: Annotated[
        Path | None, typer.Option("--ca", help="The certificate of the authority that signed it, PEM")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the model that is there")] = False,
    json: AsJson = False,
) -> None:
    """Learn one model from the data of many CLIENTS, whose rows stay put, and say for each whether it helps."""
    from headstart.cli.terminal import Terminal

    with Terminal(quiet=json) as terminal:
        if join is not None:
            _joined(clients, join, _given(name, "--as"), _given(ca, "--ca"), terminal, overwrite)
            return
        place = _given(out, "--out")
        if serve is not None:
            from headstart.distributed.processes import Address, Certificates
            from headstart.distributed.processes import serve as run_server

            files = Certificates(_given(certificate, "--certificate"), _given(key, "--key"), _given(ca, "--ca"))
            address = Address.of(serve)
            answer = run_server(clients, place, address, files, overwrite=overwrite, listener=terminal)
        else:
            from headstart.distributed.federate import federate as run

            result = run(clients, place, overwrite=overwrite, listener=terminal)
            answer = {"words": str(result), "json": result.to_json()}
    record, words = answer["json"] | {"saved": str(place)}, f"{answer['words']}\n\nsaved: {place}"
    show_saved(record, words, place, json=json)


def _joined(clients: str, join: str, name: str, ca: Path, listener: Listener, overwrite: bool) -> None:
    """Take part until the process is ended, or the SuperNode ends by itself."""
    from headstart.distributed.processes import Address
    from headstart.distributed.processes import join as start

    joined = start(clients, name, Address.of(join), ca, overwrite=overwrite, listener=listener)
    try:
        code = joined.process.wait()
    finally:
        joined.close()
    raise typer.Exit(code)


def _given(value: T | None, option: str) -> T:
    if value is None:
        raise ValueError(f"{option} is missing: see headstart federate --help")
    return value
