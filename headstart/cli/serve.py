"""The verb `serve`: a saved model as a service over HTTP.

Heavy libraries are imported inside the verb, so that help answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from headstart.cli.arguments import Model

__all__ = ["serve"]


def serve(
    model: Model,
    port: Annotated[int, typer.Option("--port", help="0: a free one")] = 8080,
    host: Annotated[str, typer.Option("--host", help="Where to listen; beyond this machine a token is needed")] = (
        "127.0.0.1"
    ),
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="Holds the token; else HEADSTART_TOKEN does")
    ] = None,
    workers: Annotated[int | None, typer.Option("--workers", help="Processes; default: one a core")] = None,
    max_wait_ms: Annotated[
        float, typer.Option("--max-wait-ms", help="How long the first input of a batch waits for others")
    ] = 5.0,
    max_batch: Annotated[
        int | None, typer.Option("--max-batch", help="Inputs answered together; default: 16, of texts 64")
    ] = None,
    queue: Annotated[int, typer.Option("--queue", help="Requests that may wait in a worker; more: 429")] = 256,
    max_mb: Annotated[float, typer.Option("--max-mb", help="Largest body of a request, in MiB; more: 413")] = 32,
    max_rows: Annotated[int, typer.Option("--max-rows", help="Most inputs of a request; more: 413")] = 10_000,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds until a request is answered; more: 504")] = 60,
    client_timeout: Annotated[
        float, typer.Option("--client-timeout", help="Seconds until a client has sent its request; more: 408")
    ] = 30,
    cors: Annotated[
        list[str] | None, typer.Option("--cors", help="Origin whose pages may ask; may be repeated; none by default")
    ] = None,
    drift_log: Annotated[
        Path | None, typer.Option("--drift-log", help="A file for what `headstart drift MODEL FILE` reads")
    ] = None,
    drift_window: Annotated[
        int, typer.Option("--drift-window", help="Rows that are compared with the training rows at a time")
    ] = 200,
    nearest: Annotated[
        bool, typer.Option("--nearest", help="Show the training rows that are most like an input to all who may ask")
    ] = False,
    data: Annotated[
        Path | None, typer.Option("--data", help="Where the training data are; default: where they were")
    ] = None,
    lang: Annotated[str | None, typer.Option("--lang", help="Of the page: en or zh; default: the browser's")] = None,
    device: Annotated[str, typer.Option("--device", help="cpu, cuda, or one of several: cuda:1")] = "cpu",
) -> None:
    """Answer requests over HTTP with a saved MODEL: POST /predict, the V2 inference protocol, /metrics."""
    from headstart.deployment.service.limits import Limits
    from headstart.deployment.service.serve import serve as answer_requests

    limits = Limits(
        max_wait_ms=max_wait_ms,
        max_batch=max_batch,
        queue=queue,
        body=int(max_mb * (1 << 20)),
        rows=max_rows,
        header_seconds=client_timeout,
        body_seconds=client_timeout,
        answer_seconds=timeout,
    )
    answer_requests(
        model,
        host=host,
        port=port,
        token_file=token_file,
        workers=workers,
        limits=limits,
        cors=cors or (),
        lang=lang,
        drift_log=drift_log,
        drift_window=drift_window,
        nearest=nearest,
        data=data,
        device=device,
    )
