"""The verb `compare`: methods beside each other on the same rows.

Heavy libraries are imported inside the verb, so that help answers at once.
"""

from __future__ import annotations

from shlex import join
from typing import TYPE_CHECKING, Annotated, Any, cast

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
    Machines,
    Modality,
    SplitColumn,
    Target,
    Weight,
    Window,
    kind_of,
    on_cluster,
    options_of,
    roles_of,
    targets_of,
    window_of,
)
from headstart.cli.streams import show_result

if TYPE_CHECKING:
    from headstart.study.methods_compared.record import MethodsCompared

__all__ = ["compare"]

_METHODS = (
    "Names with commas between, such as top,lora,lp-ft; probe and no-transfer are added. Default: no-transfer, "
    "scratch, direct, probe, top, gradual, fine-tune, lp-ft, l2-sp; with --source also source-only, target-only, "
    "pooled, auto"
)


def compare(
    data: Data,
    methods: Annotated[str | None, typer.Option("--methods", help=_METHODS)] = None,
    test: Annotated[str | None, typer.Option("--test", help="Your own test data")] = None,
    source: Annotated[str | None, typer.Option("--source", help="Labelled data of a related task, to draw on")] = None,
    target_labels: Annotated[
        str, typer.Option("--target-labels", help="With --source. all; or none: only the test looks at DATA's answers")
    ] = "all",
    backbone: Annotated[str | None, typer.Option("--backbone", help=BACKBONE)] = None,
    input: Input = None,
    target: Target = None,
    split: SplitColumn = None,
    group: Group = None,
    domain: Domain = None,
    kind: Kind = None,
    modality: Modality = None,
    classes: Classes = None,
    weight: Weight = None,
    goal: Annotated[str | None, typer.Option("--for", help=GOAL)] = None,
    class_weight: Annotated[
        str | None, typer.Option("--class-weight", help="balanced: all classes count alike")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the split and of everything random")] = 0,
    engine: Engine = "auto",
    device: Device = "auto",
    cache: Cached = True,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", help="Of all that move weights, such as epochs=20; repeatable"),
    ] = None,
    window: Window = None,
    allow_losses: Losses = False,
    machines: Machines = None,
    json: AsJson = False,
) -> None:
    """Did transfer help, and how far should weights move? One table of methods on the same held-out rows of DATA."""
    if len(names := targets_of(data, target)) > 1:
        raise ValueError(
            f"a comparison is of one target, and --target names {len(names)}: {', '.join(names)}; name one"
        )
    from headstart.cli.terminal import Terminal
    from headstart.study.methods_compared.protocol import compare as measure
    from headstart.study.methods_compared.record import Interrupted

    again = _again(
        {"--test": test, "--source": source, "--backbone": backbone, "--target": target, "--split": split},
        {"--group": group, "--kind": kind, "--classes": classes, "--weight": weight, "--for": goal},
        {
            "--modality": modality,
            "--class-weight": class_weight,
            "--window": window,
            "--seed": str(seed) if seed else None,
        },
        input,
    )
    try:
        with Terminal(quiet=json) as terminal, on_cluster(machines, terminal):
            compared = measure(
                data,
                methods=None if methods is None else methods.split(","),
                test=test,
                source=source,
                target_labels=cast(Any, target_labels),
                backbone=backbone,
                roles=roles_of(input, target, split, group, domain, weight, classes=classes, modality=modality),
                kind=kind_of(kind),
                goal=goal,
                class_weight=class_weight,
                seed=seed,
                engine=cast(Any, engine),
                device=device,
                cache=cache,
                options=options_of(option),
                allow_losses=allow_losses,
                window=window_of(window),
                listener=terminal,
            )
    except Interrupted as interrupted:
        _show(interrupted.partial, "", json)
        raise
    _show(compared, _next(compared, data, again, option), json)


def _again(*options: Any) -> list[str]:
    """The words of these options, as far as they were given; the last are those of --input."""
    *named, inputs = options
    words = [word for some in named for name, value in some.items() if value is not None for word in (name, value)]
    return [*words, *(word for value in inputs or () for word in ("--input", value))]


def _next(compared: MethodsCompared, data: str, again: list[str], options: list[str] | None) -> str:
    """The command that makes the model that is advised; "" where none is."""
    from headstart.methods.table import method

    name = compared.judged.advised
    if name is None:
        return ""
    row = method(name)
    if not row.needs_source:
        again = [w for at, w in enumerate(again) if w != "--source" and again[max(0, at - 1)] != "--source"]
    if row.reuses and compared.backbone and "--backbone" not in again:  # `fit` would pick one
        again = [*again, "--backbone", compared.backbone]
    tuned = [word for option in options or () for word in ("--option", option)] if row.moves_weights else []
    return join(["headstart", "fit", data, *again, "--method", name, *tuned, "--out", "model"])


def _show(compared: MethodsCompared, following: str, json: bool) -> None:
    if json:
        show_result(compared.to_json() | {"next": following or None}, json)
    else:
        show_result(f"{compared}\n\nnext: {following}" if following else str(compared), json)
