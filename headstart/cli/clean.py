"""The verb `clean`: what a model sees wrong with labelled data.

Heavy libraries are imported inside the verb, so that help answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from headstart.cli.arguments import (
    BACKBONE,
    AsJson,
    Cached,
    Data,
    Device,
    Engine,
    Group,
    Input,
    Kind,
    Modality,
    SplitColumn,
    Target,
    kind_of,
    roles_of,
)
from headstart.cli.streams import show_result

__all__ = ["clean"]


def clean(
    data: Data,
    out: Annotated[Path | None, typer.Option("--out", help="A .csv, .tsv, .jsonl, .json or .parquet to write")] = None,
    apply: Annotated[
        Path | None,
        typer.Option("--apply", help="A .csv to write: DATA with sure label errors mended and copies left out"),
    ] = None,
    backbone: Annotated[str | None, typer.Option("--backbone", help=BACKBONE)] = None,
    input: Input = None,
    target: Target = None,
    split: SplitColumn = None,
    group: Group = None,
    kind: Kind = None,
    modality: Modality = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the folds and of everything random")] = 0,
    engine: Engine = "auto",
    device: Device = "auto",
    cache: Cached = True,
    json: AsJson = False,
) -> None:
    """Suggest what to clean in labelled DATA: likely label errors, outliers, duplicates, leaks, classes to merge."""
    from headstart.cli.terminal import Terminal
    from headstart.study.cleaning.protocol import clean as suggest

    with Terminal(quiet=json) as terminal:
        suggestions = suggest(
            data,
            out=out,
            apply=apply,
            backbone=backbone,
            roles=roles_of(input, target, split, group, None, modality=modality),
            kind=kind_of(kind),
            seed=seed,
            engine=cast(Any, engine),
            device=device,
            cache=cache,
            listener=terminal,
        )
    show_result(suggestions.to_json() if json else str(suggestions), json)
