"""The verb `fit`: fit on data, test on rows that were held out, and say whether reuse helped.

Heavy libraries are imported inside the verbs, so that help answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from headstart.cli.arguments import (
    BACKBONE,
    METHOD,
    AsJson,
    Cached,
    Classes,
    Data,
    Domain,
    Engine,
    Group,
    Input,
    Kind,
    Losses,
    SplitColumn,
    Target,
    Weight,
    Window,
    kind_of,
    may_save,
    options_of,
    refuse_beside,
    roles_of,
    targets_of,
    window_of,
)
from headstart.cli.streams import complain, show_result, words_of

__all__ = ["fit"]


def fit(
    data: Data,
    out: Annotated[Path, typer.Option("--out", help="Folder to save the fitted model in")],
    test: Annotated[str | None, typer.Option("--test", help="Your own test data, looked at once, at the end")] = None,
    source: Annotated[str | None, typer.Option("--source", help="Labelled data of a related task, to draw on")] = None,
    target_labels: Annotated[
        str, typer.Option("--target-labels", help="With --source. all; or none: only the test looks at DATA's answers")
    ] = "all",
    backbone: Annotated[str | None, typer.Option("--backbone", help=BACKBONE)] = None,
    method: Annotated[str | None, typer.Option("--method", help=METHOD)] = None,
    input: Input = None,
    target: Target = None,
    split: SplitColumn = None,
    group: Group = None,
    domain: Domain = None,
    kind: Kind = None,
    classes: Classes = None,
    weight: Weight = None,
    class_weight: Annotated[
        str | None, typer.Option("--class-weight", help="balanced: all classes count alike")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the split and of everything random")] = 0,
    engine: Engine = "auto",
    cache: Cached = True,
    option: Annotated[
        list[str] | None, typer.Option("--option", help="Of a method that moves weights, such as epochs=20; repeatable")
    ] = None,
    window: Window = None,
    keep_tuned: Annotated[
        bool, typer.Option("--keep-tuned", help="Keep moved weights even if not shown to be better")
    ] = False,
    allow_losses: Losses = False,
    slim: Annotated[bool, typer.Option("--slim", help="Store the backbone by its hash instead of its weights")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the model that --out holds")] = False,
    json: AsJson = False,
) -> None:
    """Fit a model on DATA, test it on rows it has not seen, and say whether reuse helped."""
    from headstart.cli.terminal import Terminal
    from headstart.study import protocol
    from headstart.study.several import fit_tasks

    options = options_of(option)
    may_save(out, overwrite=overwrite, moving=method if slim else None, options=options)
    if len(targets := targets_of(data, target)) > 1:
        refuse_beside(targets, {"--source": source, "--classes": classes})
        with Terminal(quiet=json) as terminal:
            several = fit_tasks(
                data,
                targets,
                test=test,
                backbone=backbone,
                method=method,
                roles=roles_of(input, None, split, group, domain, weight),
                kind=kind,
                class_weight=class_weight,
                seed=seed,
                engine=cast(Any, engine),
                cache=cache,
                options=options,
                keep_tuned=keep_tuned,
                allow_losses=allow_losses,
                window=window_of(window),
                listener=terminal,
            )
            several.save(out, slim=slim, overwrite=overwrite)
        _show(several.evidence_, out, json)
        return
    with Terminal(quiet=json) as terminal:
        fitted = protocol.fit(
            data,
            test=test,
            source=source,
            target_labels=cast(Any, target_labels),
            backbone=backbone,
            method=method,
            roles=roles_of(input, target, split, group, domain, weight, classes=classes),
            kind=kind_of(kind),
            class_weight=class_weight,
            seed=seed,
            engine=cast(Any, engine),
            cache=cache,
            options=options,
            keep_tuned=keep_tuned,
            allow_losses=allow_losses,
            window=window_of(window),
            listener=terminal,
        )
        fitted.save(out, slim=slim, overwrite=overwrite)
    _show(fitted.evidence_, out, json)


def _show(evidence: Any, out: Path, json: bool) -> None:
    try:
        show_result(evidence.to_json() | {"saved": str(out)} if json else f"{evidence}\n\nsaved: {out}", json)
    except OSError as error:
        complain(f"saved: {out}; {words_of(error)}. To see the evidence: headstart show {out}")
