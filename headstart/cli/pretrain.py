"""The verb `pretrain`: a backbone learns from data without labels.

Heavy libraries are imported inside the verb, so that help answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from headstart.cli.arguments import BACKBONE, AsJson, Cached, Device, Input, Losses, Target, options_of, roles_of
from headstart.cli.streams import show_saved

__all__ = ["pretrain"]

METHOD = (
    "Of pictures: simclr, moco, vicreg, barlow, byol, simsiam, dino, mae, rotation, jigsaw; of texts: mlm, simcse; of "
    "tables: scarf, vime; of sounds: next-sample, masked-frames; with --target or a folder a class: supervised. "
    "Default: simclr, mlm, scarf or next-sample. Options of each: headstart methods NAME"
)


def pretrain(
    data: Annotated[str, typer.Argument(help="A folder or a .csv, .tsv, .jsonl or .parquet; no labels are needed")],
    out: Annotated[Path, typer.Option("--out", help="Folder to keep the backbone in, for fit --backbone file:FOLDER")],
    backbone: Annotated[
        str | None, typer.Option("--backbone", help=f"{BACKBONE}. From scratch: NAME?weights=random")
    ] = None,
    method: Annotated[str | None, typer.Option("--method", help=METHOD)] = None,
    input: Input = None,
    target: Target = None,
    labels: Annotated[
        bool, typer.Option("--labels", help="DATA has some labels: score nearest neighbours by them as it learns")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", help="Seed of everything random")] = 0,
    device: Device = "auto",
    cache: Cached = True,
    option: Annotated[
        list[str] | None, typer.Option("--option", help="Of the method, such as epochs=50; repeatable")
    ] = None,
    allow_losses: Losses = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the backbone that --out holds")] = False,
    json: AsJson = False,
) -> None:
    """Let a backbone learn from DATA, which needs no labels, and keep it for fit."""
    from headstart.cli.terminal import Terminal
    from headstart.pretraining.pretrain import pretrain

    with Terminal(quiet=json) as terminal:
        made = pretrain(
            data,
            backbone=backbone,
            method=method,
            out=out,
            roles=roles_of(input, target, None, None, None),
            labels=labels,
            options=options_of(option),
            seed=seed,
            device=device,
            cache=cache,
            overwrite=overwrite,
            allow_losses=allow_losses,
            listener=terminal,
        )
    show_saved(made.to_json(), str(made), out, json=json)
