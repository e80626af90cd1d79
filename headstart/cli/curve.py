"""The verb `curve`: what more labels would bring.

Heavy libraries are imported inside the verb, so that help answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from headstart.cli.arguments import (
    BACKBONE,
    GOAL,
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
    Losses,
    Modality,
    SplitColumn,
    Target,
    Window,
    kind_of,
    options_of,
    roles_of,
    targets_of,
    window_of,
)
from headstart.cli.streams import show_result

__all__ = ["curve"]


def curve(
    data: Data,
    out: Annotated[Path | None, typer.Option("--out", help="Draw the curves in this .svg")] = None,
    sizes: Annotated[
        str | None, typer.Option("--sizes", help="Rows of the subsamples, such as 20,50,100; default: eight sizes")
    ] = None,
    draws: Annotated[
        int | None, typer.Option("--draws", help="Subsamples of each size; default: 5, or 3 in each fold")
    ] = None,
    goal: Annotated[str | None, typer.Option("--for", help=GOAL)] = None,
    test: Annotated[str | None, typer.Option("--test", help="Your own test data")] = None,
    backbone: Annotated[str | None, typer.Option("--backbone", help=BACKBONE)] = None,
    method: Annotated[
        str, typer.Option("--method", help="A head on frozen features: probe, ridge, logistic, ...")
    ] = "probe",
    input: Input = None,
    target: Target = None,
    split: SplitColumn = None,
    group: Group = None,
    domain: Domain = None,
    kind: Kind = None,
    modality: Modality = None,
    classes: Classes = None,
    class_weight: Annotated[
        str | None, typer.Option("--class-weight", help="balanced: all classes count alike")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the split and of everything random")] = 0,
    engine: Engine = "auto",
    device: Device = "auto",
    cache: Cached = True,
    option: Annotated[list[str] | None, typer.Option("--option", help="Of the method; repeatable")] = None,
    window: Window = None,
    control: Annotated[
        bool, typer.Option("--control/--no-control", help="The network from random weights too")
    ] = False,
    allow_losses: Losses = False,
    json: AsJson = False,
) -> None:
    """What would more labels bring? Scores of subsamples of DATA, with transfer and without, and what follows."""
    from headstart.study.destination import Destination

    picture = None if out is None else Destination(out, inputs=[data], formats=(".svg",))
    numbers = _numbers(sizes)
    if len(targets := targets_of(data, target)) > 1:
        raise ValueError(f"a curve is of one target, and --target names {len(targets)}: {', '.join(targets)}; name one")
    from headstart.automl.learning_curves.picture import picture_of
    from headstart.automl.learning_curves.protocol import curve as measure
    from headstart.cli.terminal import Terminal

    with Terminal(quiet=json) as terminal:
        measured = measure(
            data,
            test=test,
            backbone=backbone,
            method=method,
            roles=roles_of(input, target, split, group, domain, classes=classes, modality=modality),
            kind=kind_of(kind),
            sizes=numbers,
            draws=draws,
            goal=goal,
            class_weight=class_weight,
            seed=seed,
            engine=cast(Any, engine),
            device=device,
            cache=cache,
            options=options_of(option),
            control=control,
            allow_losses=allow_losses,
            window=window_of(window),
            listener=terminal,
        )
        if picture is not None:
            picture.put(picture_of(measured).encode("utf-8"))
            terminal.say(f"{out}: the curves")
    show_result(measured.to_json() if json else str(measured), json)


def _numbers(sizes: str | None) -> list[int] | None:
    """20,50,100 as numbers. ValueError for a word that is none."""
    if sizes is None:
        return None
    words = [word.strip() for word in sizes.split(",")]
    for word in words:
        if not (word.isascii() and word.isdigit()):
            raise ValueError(f"--sizes {sizes}: {word!r} is no whole number; expected such as 20,50,100")
    return [int(word) for word in words]
