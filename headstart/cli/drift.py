"""The verb `drift`: whether what a model is asked for is still like what it learnt from.

Heavy libraries are imported inside the verb, so that help answers at once.
"""

from __future__ import annotations

from typing import Annotated

import typer

from headstart.cli.arguments import AsJson, Device, Model
from headstart.cli.streams import show_result

__all__ = ["drift"]


def drift(
    model: Model,
    data: Annotated[
        str, typer.Argument(metavar="LOG", help="What `serve --drift-log` wrote; or inputs: a folder or a table")
    ],
    rows: Annotated[
        int | None, typer.Option("--rows", help="Windows of at least so many rows; default: those of the log")
    ] = None,
    rate: Annotated[float, typer.Option("--rate", help="Share of windows that are called drift by chance")] = 0.01,
    device: Device = "auto",
    json: AsJson = False,
) -> None:
    """Compare what a served MODEL was asked, by its LOG, with the rows that it learnt from."""
    from headstart.cli.terminal import Terminal
    from headstart.deployment.monitoring.drift_report import drift as compared
    from headstart.transfer import Transfer

    with Terminal(quiet=json) as terminal:
        fitted = Transfer.load(model).set_params(device=device)
        result = compared(fitted, data, rows=rows, rate=rate, listener=terminal)
    show_result(result.to_json() if json else str(result), json)
