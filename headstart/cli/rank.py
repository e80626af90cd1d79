"""The verb `rank`: which backbone, and which of its layers, will serve data best, before anything is fitted.

Heavy libraries are imported inside the verb, so that help answers at once.
"""

from __future__ import annotations

import shlex
from typing import Annotated, Any, cast

import typer

from headstart.cli.arguments import (
    AsJson,
    Cached,
    Classes,
    Data,
    Device,
    Domain,
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

__all__ = ["rank"]

CANDIDATES = (
    "bundled; small: those and what is on this machine, up to 100 MB; timm:PATTERN, such as timm:resnet*; a file of "
    "one name a line; or names: a,b,c. NAME@4 is a backbone's layer 4, NAME@* each layer, NAME@max another pooling"
)


def rank(
    data: Data,
    candidates: Annotated[str, typer.Option("--candidates", help=CANDIDATES)] = "bundled",
    score: Annotated[str, typer.Option("--score", help="leave-one-out, logme, knn, ...")] = "leave-one-out",
    most: Annotated[int, typer.Option("--most", help="Rows that a candidate is scored on at most")] = 1000,
    input: Input = None,
    target: Target = None,
    split: SplitColumn = None,
    group: Group = None,
    domain: Domain = None,
    kind: Kind = None,
    modality: Modality = None,
    classes: Classes = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of which rows are looked at first")] = 0,
    engine: Engine = "auto",
    device: Device = "auto",
    cache: Cached = True,
    json: AsJson = False,
) -> None:
    """Rank pretrained backbones, and their layers, for DATA, before anything is fitted."""
    from headstart.automl.rank import rank as rank_backbones
    from headstart.cli.terminal import Terminal
    from headstart.features.cache.cache import Cache
    from headstart.features.extraction import Extraction

    extraction = Extraction(
        engine=cast(Any, engine), device=cast(Any, device), cache=Cache() if cache else None, thumbs=False
    )
    with Terminal(quiet=json) as terminal:
        ranking = rank_backbones(
            data,
            candidates,
            roles=roles_of(input, target, split, group, domain, classes=classes, modality=modality),
            kind=kind_of(kind),
            score=score,
            most=most,
            seed=seed,
            extraction=extraction,
            listener=terminal,
        )
    command = shlex.join(["headstart", "fit", data, "--backbone", ranking.winner, "--out", "MODEL"])
    result = ranking.to_json() | {"next": command} if json else f"{ranking}\n\nnext: {command}"
    show_result(result, json)
