"""The verb `federate`: a model of the data of many owners, which stay where they are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from headstart.cli.arguments import AsJson
from headstart.cli.streams import show_result

__all__ = ["federate"]


def federate(
    clients: Annotated[str, typer.Argument(help="A clients.toml: who takes part, and where their data are")],
    out: Annotated[Path, typer.Option("--out", help="Where to save the model")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the model that is there")] = False,
    json: AsJson = False,
) -> None:
    """Learn one model from the data of many CLIENTS, whose rows stay put, and say for each whether it helps."""
    from headstart.cli.terminal import Terminal
    from headstart.distributed.federate import federate as run

    with Terminal(quiet=json) as terminal:
        result = run(clients, out, overwrite=overwrite, listener=terminal)
    show_result(result.to_json() if json else str(result), json)
