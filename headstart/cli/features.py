"""The verb `features`: what a backbone makes of data, as a file.

Heavy libraries are imported inside the verb, so that help answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from headstart.cli.arguments import (
    BACKBONE,
    Cached,
    Device,
    Engine,
    Input,
    Modality,
    Target,
    Window,
    roles_of,
    window_of,
)

__all__ = ["features"]


def features(
    data: Annotated[str, typer.Argument(help="A folder, a .csv, .tsv, .jsonl or .parquet, labelled or not")],
    out: Annotated[Path, typer.Option("--out", help="A .npy, .csv, .tsv, .jsonl, .json or .parquet to write")],
    backbone: Annotated[str | None, typer.Option("--backbone", help=BACKBONE)] = None,
    input: Input = None,
    target: Target = None,
    modality: Modality = None,
    engine: Engine = "auto",
    device: Device = "auto",
    cache: Cached = True,
    window: Window = None,
) -> None:
    """Write the features of DATA: one row for each row in, in the same order."""
    from headstart.study.destination import FEATURE_SUFFIXES, Destination

    file = Destination(out, inputs=[data], formats=FEATURE_SUFFIXES)
    from headstart.cli.terminal import Terminal
    from headstart.study.feature_table import feature_table

    with Terminal(quiet=False) as terminal:
        table = feature_table(
            data,
            backbone=backbone,
            roles=roles_of(input, target, None, None, None, modality=modality),
            engine=cast(Any, engine),
            device=device,
            cache=cache,
            window=window_of(window),
            listener=terminal,
        )
        table.write(file)
        terminal.say(f"{out}: {table.summary}")
