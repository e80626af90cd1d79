"""The verbs that ask a saved model: `predict` and `evaluate`.

Heavy libraries are imported inside the verbs, so that help answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from headstart.cli.arguments import AsJson, Data, Device, Group, Input, Losses, Model, Target, roles_of
from headstart.cli.streams import show_result
from headstart.errors import DataError
from headstart.listener import Listener

__all__ = ["evaluate", "predict"]


def predict(
    model: Model,
    data: Annotated[list[str], typer.Argument(help="Pictures, recordings, text files, a folder or a table")],
    out: Annotated[Path | None, typer.Option("--out", help="A .csv, .tsv, .jsonl, .json or .parquet to write")] = None,
    windows: Annotated[
        str | None, typer.Option("--windows", help="Of recordings: one answer every so many seconds, or auto")
    ] = None,
    coverage: Annotated[
        float | None, typer.Option("--coverage", help="Sets or intervals that hold the truth so often, such as .9")
    ] = None,
    device: Device = "auto",
    json: AsJson = False,
) -> None:
    """Predict with a saved MODEL: one row out for each row in, in the same order."""
    from headstart.study.destination import Destination

    file = None if out is None else Destination(out, inputs=data)
    from headstart.cli.terminal import Terminal

    with Terminal(quiet=json) as terminal:
        answers = _answers(model, data[0] if len(data) == 1 else data, device, windows, coverage, terminal)
        if file is not None:
            file.write(answers)
            terminal.say(f"{out}: {answers.summary}")
    if file is None:
        show_result(answers.to_json() if json else str(answers), json)
    if not len(answers.names):
        first = answers.unanswered[0]
        raise DataError(f"no input could be answered ({answers.summary}); the first of them, {first.name}: {first.why}")


def _answers(
    model: str,
    inputs: str | list[str],
    device: str,
    windows: str | None,
    coverage: float | None,
    listener: Listener,
) -> Any:
    """What only a fit needs is not loaded: it would be half of the time of a short answer."""
    from headstart import artefact
    from headstart.features.cache.cache import Cache
    from headstart.features.extraction import Extraction

    extraction = Extraction(device=device, cache=Cache())
    if artefact.holds_multi_task(model):
        for name, value in (("--windows", windows), ("--coverage", coverage)):
            if value is not None:
                raise ValueError(f"{name} is for a model of one target, and this one answers several: leave it out")
        from headstart.study.multi_task_answers import answers_to_all

        return answers_to_all(artefact.read_multi_task(model).models, inputs, extraction, listener=listener)
    from headstart.study.answering import answers_to

    fitted = artefact.read(model)
    fed = extraction.as_fitted(fitted.engine)
    return answers_to(fitted, inputs, fed, windows=windows, coverage=coverage, listener=listener)


def evaluate(
    model: Model,
    data: Data,
    input: Input = None,
    target: Target = None,
    group: Group = None,
    device: Device = "auto",
    allow_losses: Losses = False,
    json: AsJson = False,
) -> None:
    """Score a saved MODEL on new labelled DATA."""
    from headstart.artefact import holds_multi_task
    from headstart.cli.terminal import Terminal
    from headstart.study import protocol
    from headstart.study.multi_task import MultiTask
    from headstart.study.multi_task_protocol import evaluate_tasks
    from headstart.transfer import Transfer

    evidence: Any
    with Terminal(quiet=json) as terminal:
        if holds_multi_task(model):
            roles = roles_of(input, None, None, group, None)
            fitted = MultiTask.load(model).set_params(device=device)
            evidence = evaluate_tasks(fitted, data, roles=roles, allow_losses=allow_losses, listener=terminal)
        else:
            roles = roles_of(input, target, None, group, None)
            loaded = Transfer.load(model).set_params(device=device)
            evidence = protocol.evaluate(loaded, data, roles=roles, allow_losses=allow_losses, listener=terminal)
    show_result(evidence.to_json() if json else str(evidence), json)
