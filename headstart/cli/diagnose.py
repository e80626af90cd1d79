"""The verbs that look at data before any fit: `check` and `shift`.

Heavy libraries are imported inside the verbs, so that help answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from headstart.cli.arguments import (
    BACKBONE,
    AsJson,
    Cached,
    Classes,
    Data,
    Domain,
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

__all__ = ["check", "shift"]


def check(
    data: Data,
    input: Input = None,
    target: Target = None,
    split: SplitColumn = None,
    group: Group = None,
    domain: Domain = None,
    kind: Kind = None,
    modality: Modality = None,
    classes: Classes = None,
    json: AsJson = False,
) -> None:
    """Look for what is wrong with DATA: unreadable files, duplicates, leaks, rare classes."""
    from headstart.cli.terminal import Terminal
    from headstart.study.check import check_data

    with Terminal(quiet=json) as terminal:
        roles = roles_of(input, target, split, group, domain, classes=classes, modality=modality)
        report = check_data(data, roles=roles, kind=kind_of(kind), cache=True, listener=terminal)
    show_result(report.to_json() if json else str(report), json)
    if report.errors:
        raise typer.Exit(3)


def shift(
    source: Annotated[str, typer.Argument(help="Labelled data that you know, in any form that fit reads")],
    target: Annotated[str, typer.Argument(help="The data you care about, with or without labels")],
    backbone: Annotated[str | None, typer.Option("--backbone", help=BACKBONE)] = None,
    input: Input = None,
    target_column: Annotated[str | None, typer.Option("--target", help="Column to predict")] = None,
    kind: Kind = None,
    target_labels: Annotated[
        str, typer.Option("--target-labels", help="all: use what is known of the target's answers; none: do not look")
    ] = "all",
    seed: Annotated[int, typer.Option("--seed", help="Seed of the tests")] = 0,
    picture: Annotated[Path | None, typer.Option("--picture", help="Write a map of both tasks as SVG")] = None,
    cache: Cached = True,
    json: AsJson = False,
) -> None:
    """How do SOURCE and TARGET differ, and what follows from it?"""
    from headstart.cli.terminal import Terminal
    from headstart.study.shift import shift as compare

    with Terminal(quiet=json) as terminal:
        difference = compare(
            source,
            target,
            backbone=backbone,
            roles=roles_of(input, target_column, None, None, None),
            kind=kind_of(kind),
            target_labels=cast(Any, target_labels),
            seed=seed,
            cache=cache,
            picture=picture,
            listener=terminal,
        )
    show_result(difference.to_json() if json else str(difference), json)
