"""The verb `export`.

Heavy libraries are imported inside the verb, so that help answers at once.
"""

from __future__ import annotations

from typing import Annotated

import typer

from headstart.cli.arguments import AsJson, Model
from headstart.cli.streams import show_result

__all__ = ["export"]


def export(
    model: Model,
    onnx: Annotated[str | None, typer.Option("--onnx", help="The .onnx to write, for onnxruntime")] = None,
    transformers: Annotated[
        str | None, typer.Option("--transformers", help="The folder to write, for transformers")
    ] = None,
    timm: Annotated[str | None, typer.Option("--timm", help="The folder to write, for timm")] = None,
    skops: Annotated[str | None, typer.Option("--skops", help="The .skops to write, for scikit-learn")] = None,
    mlflow: Annotated[str | None, typer.Option("--mlflow", help="The folder to write, for MLflow")] = None,
    openvino: Annotated[str | None, typer.Option("--openvino", help="The folder to write, for OpenVINO")] = None,
    int8: Annotated[
        bool, typer.Option("--int8", help="Of --onnx: weights of 8 bits, and what they cost, measured")
    ] = False,
    opset: Annotated[int | None, typer.Option("--opset", help="Of --onnx: its version of the operators")] = None,
    check_on: Annotated[
        str | None, typer.Option("--check-on", help="Data to compare on; default: the training data, where it lies")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there")] = False,
    json: AsJson = False,
) -> None:
    """Write a saved MODEL as what other programs run, compared with it before it is there."""
    place = {"onnx": onnx, "transformers": transformers, "timm": timm, "skops": skops, "mlflow": mlflow}
    place["openvino"] = openvino
    format, out = _the_format(place)
    from headstart.cli.terminal import Terminal
    from headstart.deployment.formats.export import export as write

    with Terminal(quiet=json) as terminal:
        exported = write(
            model,
            out,
            format=format,
            overwrite=overwrite,
            check_on=check_on,
            opset=opset,
            int8=int8,
            listener=terminal,
        )
    show_result(exported.to_json() if json else str(exported), json)


def _the_format(places: dict[str, str | None]) -> tuple[str, str]:
    """The format that was asked for, and where it goes. ValueError unless there is one."""
    asked = [(name, place) for name, place in places.items() if place is not None]
    names = ", ".join(f"--{name}" for name in places)
    if len(asked) != 1:
        raise ValueError(f"{len(asked)} formats were asked for: expected one of {names}, with the place to write to")
    return asked[0]
