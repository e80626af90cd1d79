"""The verb `fit`: fit on data, test on rows that were held out, and say whether reuse helped.

Heavy libraries are imported inside the verbs, so that help answers at once.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headstart.cli.arguments import (
    BACKBONE,
    GOAL,
    METHOD,
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
    may_save,
    on_cluster,
    options_of,
    refuse_beside,
    roles_of,
    targets_of,
    window_of,
)
from headstart.cli.report import Lang, Provenance, Report, command_origin, page_beside
from headstart.cli.streams import complain, show_saved

if TYPE_CHECKING:
    from headstart.study.multi_task import MultiTask
    from headstart.transfer import Transfer

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
        list[str] | None, typer.Option("--option", help="Of the method, such as epochs=20; repeatable")
    ] = None,
    window: Window = None,
    keep_tuned: Annotated[
        bool, typer.Option("--keep-tuned", help="Keep moved weights even if not shown to be better")
    ] = False,
    keep_transfer: Annotated[
        bool, typer.Option("--keep-transfer", help="Keep the transferred model even where none is better")
    ] = False,
    control: Annotated[
        bool, typer.Option("--control/--no-control", help="Test the network from random weights too")
    ] = True,
    allow_losses: Losses = False,
    budget: Annotated[
        str | None, typer.Option("--budget", help="10m, 1h30m: race backbones and methods, and keep the best")
    ] = None,
    candidates: Annotated[
        list[str] | None, typer.Option("--candidates", help="Backbones to pick among, or to race, a,b; repeatable")
    ] = None,
    memory: Annotated[str | None, typer.Option("--memory", help="With --budget. Most memory, such as 4GB")] = None,
    disk: Annotated[str | None, typer.Option("--disk", help="With --budget. Most disk, such as 2GB")] = None,
    track: Annotated[
        str | None, typer.Option("--track", help="mlflow:URI or tensorboard:DIR: write the fit down there too")
    ] = None,
    machines: Machines = None,
    blocks: Annotated[
        bool, typer.Option("--blocks", help="Fit the head in blocks of rows, as where features exceed memory")
    ] = False,
    slim: Annotated[bool, typer.Option("--slim", help="Store the backbone by its hash instead of its weights")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the model that --out holds")] = False,
    provenance: Provenance = True,
    report: Report = False,
    lang: Lang = "en",
    json: AsJson = False,
) -> None:
    """Fit a model on DATA, test it on rows it has not seen, and say whether reuse helped."""
    began = time.monotonic()
    from headstart.automl.fit import refuse_without_budget
    from headstart.automl.pick import Picker
    from headstart.cli.race import Within, candidates_of
    from headstart.cli.terminal import Terminal
    from headstart.study import protocol
    from headstart.study.multi_task_protocol import fit_tasks
    from headstart.study.origin import with_origin, without_origin
    from headstart.tracking import tracked

    options = options_of(option)
    named = candidates_of(candidates, backbone)
    _refuse_with_budget(budget, slim=slim, blocks=blocks)
    may_save(out, overwrite=overwrite, moving=method if slim else None, options=options)
    page = page_beside(out, wanted=report, lang=lang, overwrite=overwrite)
    columns = (split, group, domain, weight)
    with (
        Terminal(quiet=json) as terminal,
        tracked(track, terminal, complain) as tracking,
        on_cluster(machines, tracking.listener),
    ):
        common: dict[str, Any] = {
            "test": test, "backbone": backbone, "method": method, "options": options, "class_weight": class_weight,
            "seed": seed, "engine": engine, "device": device, "cache": cache, "window": window_of(window),
            "keep_tuned": keep_tuned, "allow_losses": allow_losses, "listener": tracking.listener,
        }  # fmt: skip
        tracking.asked(common | {"data": data, "source": source, "target": target, "goal": goal, "budget": budget})
        fitted: MultiTask | Transfer
        if len(targets := targets_of(data, target)) > 1:
            refuse_beside(targets, _of_one_target(source, classes, goal, control, budget, candidates, blocks))
            roles = roles_of(input, None, *columns, modality=modality)
            origin = command_origin(data, test=test, roles=roles, kind=kind)
            fitted = fit_tasks(data, targets, kind=kind, roles=roles, **common).with_origin(origin)
        else:
            roles = roles_of(input, target, *columns, classes=classes, modality=modality)
            own: dict[str, Any] = {"source": source, "target_labels": target_labels, "control": control, "goal": goal}
            own["keep_transfer"] = keep_transfer
            if budget is None:
                refuse_without_budget({"--memory": memory, "--disk": disk})
                own |= {"chooser": Picker(named), "blocks": blocks}
                fitted = protocol.fit(data, kind=kind_of(kind), roles=roles, **own, **common)
            else:
                race = Within(budget, named, out, began, memory, disk)
                fitted = race.fit(data, kind=kind_of(kind), roles=roles, **own, **common)
            given = {"test": test, "source": source, "roles": roles, "kind": kind_of(kind)}
            fitted = with_origin(fitted, command_origin(data, **given))
        fitted = fitted if provenance else without_origin(fitted, (data, test, source))
        fitted.save(out, slim=slim, overwrite=overwrite)
        evidence, written = fitted.evidence_, page.write(out)
        tracking.conclude(fitted, out, report=page.path)
    record = evidence.to_json() | {"saved": str(out), **written}
    show_saved(record, page.words(evidence, out, written), out, json=json)


def _of_one_target(
    source: str | None,
    classes: str | None,
    goal: str | None,
    control: bool,
    budget: str | None,
    candidates: list[str] | None,
    blocks: bool,
) -> dict[str, str | None]:
    """Options that do not go with several targets, as they were given."""
    return {
        "--source": source,
        "--classes": classes,
        "--for": goal,
        "--no-control": None if control else "it",
        "--budget": budget,
        "--candidates": None if candidates is None else ",".join(candidates),
        "--blocks": "it" if blocks else None,
    }


def _refuse_with_budget(budget: str | None, *, slim: bool, blocks: bool) -> None:
    if budget is None:
        return
    if slim:
        raise ValueError("--slim stores the backbone by its hash, and a race may move its weights: leave --slim out")
    if blocks:
        raise ValueError("--blocks fits a head in blocks of rows, and a race tries methods that do not: leave it out")
