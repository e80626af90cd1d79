"""The verb `few-shot`: meta-train on some classes, and test on others.

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
    Data,
    Device,
    Engine,
    Group,
    Input,
    Kind,
    Losses,
    Modality,
    Target,
    Window,
    kind_of,
    options_of,
    roles_of,
    window_of,
)
from headstart.cli.streams import show_saved

__all__ = ["few_shot"]

LEARNER = (
    "Nothing is trained: simpleshot, pt-map. The features are: protonet, matching, r2d2, baseline++, anil. "
    "Weights move in each episode: maml, fomaml, reptile. Default: protonet"
)


def few_shot(
    data: Data,
    out: Annotated[Path, typer.Option("--out", help="Folder to save the backbone in, for fit --backbone file:FOLDER")],
    way: Annotated[int, typer.Option("--way", help="Classes of an episode")] = 5,
    shot: Annotated[str, typer.Option("--shot", help="Labelled rows of each class; several with commas")] = "1,5",
    learner: Annotated[str, typer.Option("--learner", help=LEARNER)] = "protonet",
    backbone: Annotated[str | None, typer.Option("--backbone", help=BACKBONE)] = None,
    task: Annotated[
        str | None, typer.Option("--task", "--domain", help="Column that says which small task a row is of")
    ] = None,
    query: Annotated[int, typer.Option("--query", help="Rows of each class that a test episode asks, at most")] = 15,
    episodes: Annotated[int, typer.Option("--episodes", help="Test episodes of each shot")] = 600,
    input: Input = None,
    target: Target = None,
    group: Group = None,
    kind: Kind = None,
    modality: Modality = None,
    seed: Annotated[int, typer.Option("--seed", help="Of who is on which side, and of everything random")] = 0,
    engine: Engine = "auto",
    device: Device = "auto",
    cache: Cached = True,
    option: Annotated[
        list[str] | None, typer.Option("--option", help="Of the learner or its training, such as steps=100; repeatable")
    ] = None,
    window: Window = None,
    allow_losses: Losses = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what --out holds")] = False,
    json: AsJson = False,
) -> None:
    """Meta-train on some classes of DATA, and learn from episodes of the others whether that helps."""
    from headstart.artefact import check_target
    from headstart.cli.terminal import Terminal
    from headstart.study.few_shot import few_shot as learn

    options, shots = options_of(option), _numbers(shot)
    check_target(out, overwrite=overwrite)
    with Terminal(quiet=json) as terminal:
        learnt = learn(
            data,
            way=way,
            shot=shots,
            learner=learner,
            backbone=backbone,
            query=query,
            episodes=episodes,
            roles=roles_of(input, target, None, group, task, modality=modality),
            kind=kind_of(kind),
            seed=seed,
            engine=cast(Any, engine),
            device=device,
            cache=cache,
            options=options,
            window=window_of(window),
            allow_losses=allow_losses,
            listener=terminal,
        )
        learnt.save(out, overwrite=overwrite)
    saved = f"saved: {out}, whose inner rule is {learnt.rule}; next: headstart fit NEW_DATA --backbone file:{out}"
    record = learnt.evidence.to_json() | {"rule": learnt.rule, "saved": str(out)}
    show_saved(record, f"{learnt.evidence}\n\n{saved}", out, json=json)


def _numbers(words: str) -> tuple[int, ...]:
    """Whole numbers with commas between them. ValueError for anything else."""
    try:
        return tuple(int(word) for word in words.split(",") if word.strip())
    except ValueError:
        raise ValueError(f"--shot {words}: expected whole numbers with commas between them, such as 1,5") from None
