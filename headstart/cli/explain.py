"""The verb that explains: `explain`.

Heavy libraries are imported inside the verb, so that help answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from headstart.cli.arguments import AsJson, Device, Model
from headstart.cli.streams import show_result

__all__ = ["explain"]

FORMATS = (".png", ".html")
ROWS = 20
"""So many inputs are explained unless more are asked for: each takes some seconds."""


def explain(
    model: Model,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[INPUT]...", help="As for predict; none: the model as a whole, from --data"),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="A .png or .html to write")] = None,
    how: Annotated[
        str,
        typer.Option(
            "--how", help="auto, grad-cam, rollout, integrated-gradients, contributions, shapley or occlusion"
        ),
    ] = "auto",
    label: Annotated[str | None, typer.Option("--class", help="Explain this class, not the one answered")] = None,
    against: Annotated[str | None, typer.Option("--against", help="Explain it against this class alone")] = None,
    data: Annotated[
        str | None, typer.Option("--data", help="The training data: nearest rows, and what counts as a whole")
    ] = None,
    rows: Annotated[str, typer.Option("--rows", help="So many inputs, the first; or all")] = str(ROWS),
    check: Annotated[bool, typer.Option("--check/--no-check", help="Deletion curve and random weights")] = True,
    device: Device = "auto",
    json: AsJson = False,
) -> None:
    """Explain the answers of a saved MODEL to each INPUT, or the MODEL as a whole."""
    from headstart.study.destination import Destination

    most = _rows(rows)
    file = None if out is None else Destination(out, inputs=inputs or [], formats=FORMATS)
    from headstart.cli.terminal import Terminal
    from headstart.explanations.explain import explain as explained
    from headstart.transfer import Transfer

    with Terminal(quiet=json) as terminal:
        fitted = Transfer.load(model).set_params(device=device)
        result: Any
        if inputs:
            given: Any = inputs[0] if len(inputs) == 1 else inputs
            result = explained(
                fitted,
                given,
                how=how,
                label=label,
                against=against,
                data=data,
                check=check,
                rows=most,
                listener=terminal,
            )
        else:
            result = _whole(fitted, data, file, label, against, terminal)
        if file is not None:
            from headstart.explanations.written import bytes_of

            file.put(bytes_of(result, file.suffix))
            terminal.say(f"{out}: {len(result):,} explained")
    if file is None or json:
        show_result(result.to_json() if json else str(result), json)


def _rows(words: str) -> int | None:
    """all, which is None, or a number from 1 on; ValueError for anything else."""
    if words.strip().lower() == "all":
        return None
    try:
        count = int(words)
    except ValueError:
        count = 0
    if count < 1:
        raise ValueError(f"--rows {words}: expected a number from 1 on, or all")
    return count


def _whole(fitted: Any, data: str | None, file: Any, label: str | None, against: str | None, listener: Any) -> Any:
    """Of the model as a whole."""
    if data is None:
        raise ValueError("give an INPUT to explain, or --data DATA, the training data, for the model as a whole")
    if file is not None:
        raise ValueError("--out draws explanations of inputs: of the model as a whole leave it out, or use --json")
    from headstart.explanations.whole import explain_whole

    return explain_whole(fitted, data, label=label, against=against, listener=listener)
