"""The verbs of the command line: thin, each calls one public function.

Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 unexpected, 2 wrong arguments,
3 data, 4 backbone, 5 saved model, 6 cache, 7 training, 130 interrupted. Heavy libraries are imported inside the verbs,
so that help answers at once.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from headstart.cli import streams
from headstart.cli.arguments import kind_of, may_save, options_of, roles_of
from headstart.errors import DataError, HeadstartError

__all__ = ["app", "main"]

INTERRUPTED = 130

app = typer.Typer(
    name="headstart",
    help="Reuse a pretrained model on little labelled data, and learn from held-out data whether reuse helped.",
    epilog="Example:  headstart fit photos/ --out flowers   (one sub-folder of photos/ a class)",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

BACKBONE = "Pretrained model: bundled:efficientnet-lite0, bundled:minilm, ..., timm:NAME, hf:NAME or a folder"
METHOD = (
    "Frozen: probe (the head is chosen by cross-validation), ridge, logistic, prototypes, neural, kernel, boosting. "
    "Weights move: head, top, fine-tune, gradual, lp-ft, l2-sp, delta, wise-ft, soup, lora, ia3, bitfit, scratch; "
    "TUNE+LOSS, such as gradual+l2-sp, for a pair. With --source: auto, source-only, target-only, pooled, coral, "
    "subspace, linear-transport, transport, likeness, jdot, augment, balanced, kmm, ulsif, rulsif, kliep, neighbours, "
    "discriminator, bbse, mlls; and weights move: dann, cdan, dan, deep-coral, mcc, graph. "
    "Default: probe; auto with --source"
)

Data = Annotated[str, typer.Argument(help="A folder with one sub-folder a class, or a .csv, .tsv, .jsonl or .parquet")]
Model = Annotated[str, typer.Argument(help="The folder of a saved model")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of words")]
Input = Annotated[list[str] | None, typer.Option("--input", help="Column that holds the input; may be repeated")]
Target = Annotated[str | None, typer.Option("--target", help="Column to predict")]
SplitColumn = Annotated[str | None, typer.Option("--split", help="Column that says train, val or test")]
Group = Annotated[str | None, typer.Option("--group", help="Column whose rows must stay on one side of a split")]
Domain = Annotated[str | None, typer.Option("--domain", help="Column that says where each row comes from")]
Classes = Annotated[str | None, typer.Option("--classes", help="Names for the places of rows of 0s and 1s: a,b,c")]
Losses = Annotated[bool, typer.Option("--allow-losses", help="Go on where over 5 % of the rows cannot be used")]
Weight = Annotated[str | None, typer.Option("--weight", help="Column that says how much a row counts in the fit")]
Kind = Annotated[str | None, typer.Option("--kind", help="classification, regression or multilabel")]


@app.command(no_args_is_help=True)
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
    engine: Annotated[str, typer.Option("--engine", help="auto, torch or openvino")] = "auto",
    cache: Annotated[bool, typer.Option("--cache/--no-cache", help="Keep features for the next run")] = True,
    option: Annotated[
        list[str] | None, typer.Option("--option", help="Of a method that moves weights, such as epochs=20; repeatable")
    ] = None,
    window: Annotated[str | None, typer.Option("--window", help="LOW,HIGH: black and white of over 8 bits")] = None,
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

    options = options_of(option)
    may_save(out, overwrite=overwrite, moving=method if slim else None, options=options)
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
            window=cast(Any, window and window.split(",")),
            listener=terminal,
        )
        fitted.save(out, slim=slim, overwrite=overwrite)
    evidence = fitted.evidence_
    try:
        _print(evidence.to_json() | {"saved": str(out)} if json else f"{evidence}\n\nsaved: {out}", json)
    except OSError as error:
        streams.complain(f"saved: {out}; {_words(error)}. To see the evidence: headstart show {out}")


@app.command(no_args_is_help=True)
def predict(
    model: Model,
    data: Annotated[list[str], typer.Argument(help="Pictures, text files, a folder or a table")],
    out: Annotated[Path | None, typer.Option("--out", help="A .csv, .tsv, .jsonl, .json or .parquet to write")] = None,
    json: AsJson = False,
) -> None:
    """Predict with a saved MODEL: one row out for each row in, in the same order."""
    from headstart.study.destination import Destination

    file = None if out is None else Destination(out, inputs=data)
    from headstart.cli.terminal import Terminal
    from headstart.study import protocol
    from headstart.transfer import Transfer

    with Terminal(quiet=json) as terminal:
        answers = protocol.predict(Transfer.load(model), data[0] if len(data) == 1 else data, listener=terminal)
        if file is not None:
            file.write(answers)
            terminal.say(f"{out}: {answers.summary}")
    if file is None:
        _print(answers.to_json() if json else str(answers), json)
    if not len(answers.names):
        first = answers.unanswered[0]
        raise DataError(f"no input could be answered ({answers.summary}); the first of them, {first.name}: {first.why}")


@app.command(no_args_is_help=True)
def evaluate(
    model: Model,
    data: Data,
    input: Input = None,
    target: Target = None,
    group: Group = None,
    allow_losses: Losses = False,
    json: AsJson = False,
) -> None:
    """Score a saved MODEL on new labelled DATA."""
    from headstart.cli.terminal import Terminal
    from headstart.study import protocol
    from headstart.transfer import Transfer

    with Terminal(quiet=json) as terminal:
        roles = roles_of(input, target, None, group, None)
        evidence = protocol.evaluate(
            Transfer.load(model), data, roles=roles, allow_losses=allow_losses, listener=terminal
        )
    _print(evidence.to_json() if json else str(evidence), json)


@app.command(no_args_is_help=True)
def check(
    data: Data,
    input: Input = None,
    target: Target = None,
    split: SplitColumn = None,
    group: Group = None,
    domain: Domain = None,
    kind: Kind = None,
    classes: Classes = None,
    json: AsJson = False,
) -> None:
    """Look for what is wrong with DATA: unreadable files, duplicates, leaks, rare classes."""
    from headstart.cli.terminal import Terminal
    from headstart.study import protocol

    with Terminal(quiet=json) as terminal:
        roles = roles_of(input, target, split, group, domain, classes=classes)
        report = protocol.check(data, roles=roles, kind=kind_of(kind), listener=terminal)
    _print(report.to_json() if json else str(report), json)
    if report.errors:
        raise typer.Exit(3)


@app.command(no_args_is_help=True)
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
    cache: Annotated[bool, typer.Option("--cache/--no-cache", help="Keep features for the next run")] = True,
    json: AsJson = False,
) -> None:
    """How do SOURCE and TARGET differ, and what follows from it?"""
    from headstart.cli.terminal import Terminal
    from headstart.study import shift as comparing

    with Terminal(quiet=json) as terminal:
        found = comparing.shift(
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
    _print(found.to_json() if json else str(found), json)


@app.command(no_args_is_help=True)
def show(model: Model, json: AsJson = False) -> None:
    """Show the evidence that a saved MODEL carries."""
    from headstart.artefact.evidence import read_evidence

    evidence = read_evidence(Path(model))
    _print(evidence.to_json() if json else str(evidence), json)


@app.command()
def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Delete every cached feature")] = False,
    json: AsJson = False,
) -> None:
    """Show, or clear, the features kept from earlier runs."""
    from headstart.features.cache.cache import Cache

    store = Cache()
    if clear:
        freed = store.clear()
        _print({"freed_bytes": freed} if json else f"freed {freed / 1e6:.1f} MB in {store.folder}", json)
    else:
        held = store.describe()
        _print([one._asdict() for one in held] if json else _listing(held, store), json)


def main() -> None:
    """Run the command line; every error becomes one message in words and an exit code."""
    streams.prepare()
    try:
        code = app(standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except HeadstartError as error:
        _fail(str(error), error.exit_code)
    except Exception as error:
        if os.environ.get("HEADSTART_DEBUG"):
            raise
        show_usage = getattr(error, "format_message", None)
        if show_usage is not None:
            _fail(f"{show_usage()}\nTry: headstart --help", 2)
        if isinstance(error, OSError) and error.filename:
            _fail(_words(error), 1)
        if isinstance(error, ValueError | TypeError | ImportError):
            _fail(str(error), 2)
        _fail(f"{type(error).__name__}: {error}\nSet HEADSTART_DEBUG=1 to see where.", 1)
    if code == INTERRUPTED:
        _fail("interrupted; finished features are kept, and the same command continues from them", INTERRUPTED)
    sys.exit(code)


def _fail(message: str, code: int) -> None:
    streams.complain(f"headstart: {message}")
    sys.exit(code)


def _print(result: Any, json: bool) -> None:
    if json:
        streams.show_json(result)
    else:
        streams.show(str(result))


def _words(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)


def _listing(held: Any, store: Any) -> str:
    """The cache in words: a line for each kind of rows, and the sum."""
    lines = []
    for one in held:
        about = {"kind": one.kind} | one.about
        what = " ".join(str(about[key]) for key in ("label", "kind", "engine", "precision") if key in about)
        lines.append(f"{one.bytes / 1e6:>9,.1f} MB  {one.rows:>9,} rows  {what}")
    total = sum(one.bytes for one in held) / 1e6
    limit = store.limit_bytes / 1e6
    return "\n".join([*lines, f"{total:>9,.1f} MB in {store.folder}, of at most {limit:,.0f} MB"])
