"""What the words of the command line ask for: arguments that several verbs have, checked before any work is done."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = ["kind_of", "may_save", "on_cluster", "options_of", "refuse_beside", "roles_of", "targets_of", "window_of"]

BACKBONE = "Pretrained model: bundled:efficientnet-lite0, bundled:minilm, ..., timm:NAME, hf:NAME or a folder"
METHOD = (
    "Frozen: probe (the head is chosen by cross-validation), ridge, logistic, prototypes, lda, neural, kernel, "
    "boosting, trees, joint, incontext; no-transfer reuses nothing. "
    "Weights move: head, top, fine-tune, gradual, lp-ft, l2-sp, delta, wise-ft, soup, lora, ia3, bitfit, scratch; "
    "TUNE+LOSS, such as gradual+l2-sp, for a pair. With --source: auto, source-only, target-only, pooled, coral, "
    "subspace, linear-transport, transport, likeness, jdot, augment, balanced, kmm, ulsif, rulsif, kliep, neighbours, "
    "discriminator, bbse, mlls; and weights move: dann, cdan, dan, deep-coral, mcc, graph. "
    "With several targets: auto (joint, and alone what it makes worse); TUNE+weighted, +uncertainty, +dwa, +gradnorm, "
    "+pcgrad, +cagrad, +nash-mtl, +imtl. "
    "From a teacher, by headstart distil: distil, decoupled, hints, relational, attention. "
    "Default: probe; auto with --source. Options of each: headstart methods NAME"
)

GOAL = (
    "What to be good at: accuracy, balanced-accuracy, macro-f1, log-loss, auc, f1:CLASS, cost:FILE; r2, mae, rmse. "
    "Default: balanced-accuracy where the largest class has over 3 times the rows of the smallest, else accuracy; r2"
)

Data = Annotated[str, typer.Argument(help="A folder with one sub-folder a class, or a .csv, .tsv, .jsonl or .parquet")]
Model = Annotated[str, typer.Argument(help="The folder of a saved model")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of words")]
Input = Annotated[list[str] | None, typer.Option("--input", help="Column that holds the input; may be repeated")]
Target = Annotated[str | None, typer.Option("--target", help="Column to predict; a,b for several at once")]
SplitColumn = Annotated[str | None, typer.Option("--split", help="Column that says train, val or test")]
Group = Annotated[str | None, typer.Option("--group", help="Column whose rows must stay on one side of a split")]
Domain = Annotated[str | None, typer.Option("--domain", help="Column that says where each row comes from")]
Classes = Annotated[str | None, typer.Option("--classes", help="Names for the places of rows of 0s and 1s: a,b,c")]
Losses = Annotated[bool, typer.Option("--allow-losses", help="Go on where over 5 % of the rows cannot be used")]
Weight = Annotated[str | None, typer.Option("--weight", help="Column that says how much a row counts in the fit")]
Engine = Annotated[str, typer.Option("--engine", help="auto, torch or openvino")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, or one of several: cuda:1")]
Cached = Annotated[bool, typer.Option("--cache/--no-cache", help="Keep features for the next run")]
Window = Annotated[str | None, typer.Option("--window", help="LOW,HIGH: black and white of over 8 bits")]
Machines = Annotated[
    str | None,
    typer.Option("--cluster", help="local, HOST:PORT or ray://HOST:PORT: do the work on many processes, by Ray"),
]
Modality = Annotated[
    str | None, typer.Option("--modality", help="image, text, audio or table, where DATA could be two of these")
]
Kind = Annotated[str | None, typer.Option("--kind", help="classification, regression or multilabel")]


def options_of(options: list[str] | None) -> dict[str, Any] | None:
    """Pairs name=value. Raises ValueError for a word that is none."""
    pairs = [option.partition("=") for option in options or ()]
    for name, equals, _ in pairs:
        if not equals:
            raise ValueError(f"--option {name}: expected name=value, such as epochs=20")
    return {name.replace("-", "_"): value for name, _, value in pairs} or None


@contextmanager
def on_cluster(address: str | None, listener: Any) -> Iterator[None]:
    """A context in which the processes of --cluster do the work; None: this process alone. What Ray prints of processes
    that died goes to standard error, since standard output is for the result."""
    if address is None:
        yield
        return
    from headstart.distributed import cluster

    with redirect_stdout(sys.stderr), cluster(address, listener=listener):
        yield


def may_save(out: Path, *, overwrite: bool, moving: str | None, options: dict[str, Any] | None) -> None:
    """Raises ArtefactError where a model may not be written; ValueError where weights that move are kept by a hash."""
    from headstart.artefact import check_target
    from headstart.methods.table import configured

    check_target(out, overwrite=overwrite)
    if moving and configured(moving, options or {}).moves_weights:
        raise ValueError(f"--slim stores the backbone by its hash, and method {moving!r} moves it: leave --slim out")


def kind_of(kind: str | None) -> Any:
    """The kind of task, or None. Raises ValueError for one that there is not."""
    from headstart.tasks import KINDS

    if kind is not None and kind not in KINDS:
        *first, last = KINDS
        raise ValueError(f"--kind {kind}: expected {', '.join(first)} or {last}")
    return None if kind is None else KINDS[kind]


def roles_of(
    input: list[str] | None,
    target: str | None,
    *columns: str | None,
    classes: str | None = None,
    modality: str | None = None,
) -> Any:
    """Which column is what: `columns` are split, group, domain and, of a fit, weight; `classes` are names with commas
    between them. ValueError for a modality that there is not."""
    from headstart.data.roles import Roles
    from headstart.tasks.modality import modality_named

    split, group, domain, weight = (*columns, None)[:4]
    named = tuple(name.strip() for name in (classes or "").split(",") if name.strip())
    return Roles(
        input=tuple(input or ()) or None,
        target=target,
        split=split,
        group=group,
        domain=domain,
        weight=weight,
        classes=named,
        modality=None if modality is None else modality_named(modality),
    )


def targets_of(data: Any, target: str | None) -> tuple[str, ...]:
    """The names in --target a,b; one that is a column of DATA as a whole, commas and all, is one."""
    if target is None or "," not in target:
        return ()
    from headstart.data.multi_task import targets_named

    return targets_named(data, target)


def refuse_beside(targets: tuple[str, ...], options: dict[str, str | None]) -> None:
    """Raises ValueError for an option that is for one target."""
    for name, value in options.items():
        if value is not None:
            raise ValueError(
                f"{name} is for one target, and --target names {len(targets)}: {', '.join(targets)}; leave it out, or "
                "name one"
            )


def window_of(window: str | None) -> Any:
    """LOW,HIGH as a pair of words; what is no pair of numbers is refused where it is used."""
    return window and window.split(",")
