"""The verb `distil`: a student learns from a fitted model, and is tested beside the same student without it.

Heavy libraries are imported inside the verbs, so that help answers at once.
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
    Device,
    Domain,
    Engine,
    Group,
    Input,
    Kind,
    Losses,
    SplitColumn,
    Target,
    Window,
    kind_of,
    may_save,
    options_of,
    roles_of,
    window_of,
)
from headstart.cli.report import Lang, Provenance, Report, command_origin, page_beside
from headstart.cli.streams import show_saved

__all__ = ["distil"]

METHOD = (
    "distil (its answers), decoupled, hints, relational (its features), attention (where it looks, for pictures), or "
    "TUNE+LOSS, such as lora+distil"
)


def distil(
    model: Annotated[
        str, typer.Argument(help="The teacher: the folder of a saved model; or self, the student's own fit")
    ],
    data: Annotated[str, typer.Argument(help="As in fit; rows may lack a label, or all of them")],
    out: Annotated[Path, typer.Option("--out", help="Folder to save the student in")],
    backbone: Annotated[str | None, typer.Option("--backbone", help=f"Of the student. {BACKBONE}")] = None,
    teacher: Annotated[
        list[str] | None, typer.Option("--teacher", help="One more teacher, MODEL or MODEL=WEIGHT; repeatable")
    ] = None,
    unlabelled: Annotated[
        str | None, typer.Option("--unlabelled", help="More inputs without labels: a folder or a table")
    ] = None,
    test: Annotated[str | None, typer.Option("--test", help="Your own test data, looked at once, at the end")] = None,
    method: Annotated[str, typer.Option("--method", help=METHOD)] = "distil",
    input: Input = None,
    target: Target = None,
    split: SplitColumn = None,
    group: Group = None,
    domain: Domain = None,
    kind: Kind = None,
    classes: Classes = None,
    goal: Annotated[str | None, typer.Option("--for", help=GOAL)] = None,
    class_weight: Annotated[
        str | None, typer.Option("--class-weight", help="balanced: all classes count alike")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the split and of everything random")] = 0,
    engine: Engine = "auto",
    device: Device = "auto",
    cache: Cached = True,
    option: Annotated[
        list[str] | None, typer.Option("--option", help="Of the method, such as temperature=4; repeatable")
    ] = None,
    window: Window = None,
    allow_losses: Losses = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the model that --out holds")] = False,
    provenance: Provenance = True,
    report: Report = False,
    lang: Lang = "en",
    json: AsJson = False,
) -> None:
    """Teach a small model what MODEL knows, on DATA, and say what it kept and whether the teacher helped."""
    from headstart.cli.terminal import Terminal
    from headstart.study.distillation import distil as learn
    from headstart.study.origin import with_origin

    options = options_of(option)
    may_save(out, overwrite=overwrite, moving=None, options=options)
    page = page_beside(out, wanted=report, lang=lang, overwrite=overwrite)
    roles = roles_of(input, target, split, group, domain, classes=classes)
    with Terminal(quiet=json) as terminal:
        fitted = learn(
            teachers_of(model, teacher),
            data,
            unlabelled=unlabelled,
            test=test,
            backbone=backbone,
            method=method,
            roles=roles,
            kind=kind_of(kind),
            goal=goal,
            class_weight=class_weight,
            seed=seed,
            engine=cast(Any, engine),
            device=device,
            cache=cache,
            options=options,
            allow_losses=allow_losses,
            window=window_of(window),
            provenance=provenance,
            listener=terminal,
        )
        if provenance:
            fitted = with_origin(fitted, command_origin(data, test=test, roles=roles, kind=kind_of(kind)))
        fitted.save(out, overwrite=overwrite)
        evidence, written = fitted.evidence_, page.write(out)
    record = evidence.to_json() | {"saved": str(out), **written}
    show_saved(record, page.words(evidence, out, written), out, json=json)


def teachers_of(model: str, more: list[str] | None) -> Any:
    """self, or each teacher with its weight. Raises ValueError for self among others."""
    if model == "self":
        if more:
            raise ValueError("self is a teacher alone: leave --teacher out, or name a saved model first")
        return model
    return [_weighed(teacher) for teacher in (model, *(more or ()))]


def _weighed(teacher: str) -> tuple[str, float]:
    """MODEL, or MODEL=WEIGHT; a folder whose name looks so is taken whole."""
    folder, equals, weight = teacher.rpartition("=")
    if not equals or Path(teacher).is_dir():
        return teacher, 1.0
    try:
        return folder, float(weight)
    except ValueError:
        raise ValueError(f"--teacher {teacher}: expected MODEL or MODEL=WEIGHT, such as big=2") from None
