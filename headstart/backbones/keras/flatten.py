"""The configuration of a Keras model, of Keras 2 or 3, as one list of layers without models inside of models."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from headstart.backbones.keras.kinds import Unsupported

__all__ = ["Flat", "Layer", "flatten"]

_MODELS = ("Functional", "Model", "Sequential")
_BY_NUMBER = {"TrueDivide": (False, True), "Divide": (False, True), "Multiply": (False, False)}
_BY_NUMBER |= {"Subtract": (True, True), "Add": (True, False)}
"""Operations with a number: whether it is added, and whether it is the inverse that counts."""


class Layer(NamedTuple):
    """A layer of the list.

    name     its own, behind those of the models that it is in
    kind     its class       config   its configuration
    inputs   names of layers of the list; "" for the input of the whole
    stored   where Keras 3 keeps its arrays in a file of weights
    group    of a file of Keras 2: the layer of the whole model that it is in, and its own name
    """

    name: str
    kind: str
    config: dict[str, Any]
    inputs: list[str]
    stored: str
    group: tuple[str, str]


class Flat(NamedTuple):
    """layers, the name of the one that is put out, (height, width) that the input has (None: any), and the names of
    the whole model and of models inside of it."""

    layers: list[Layer]
    output: str
    side: tuple[int | None, int | None]
    models: list[str]


def flatten(model: dict[str, Any]) -> Flat:
    """Of {"class_name", "config"}. `Unsupported` for what is not known here, which it names."""
    if model.get("class_name") not in _MODELS:
        raise Unsupported(f"a model of the class {model.get('class_name')!s:.60}, not Sequential or Functional")
    layers: list[Layer] = []
    models: list[str] = []
    output = _add(model, "", "", "", layers, models, [""])
    shape = _input_shape(model)
    if len(shape) != 4 or shape[3] not in (3, None):
        raise Unsupported(f"an input of shape {shape}, not pictures (None, height, width, 3)")
    height, width = shape[1:3]
    return Flat(layers, output, (height, width), models)


def _add(
    model: dict[str, Any],
    prefix: str,
    stored: str,
    top: str,
    layers: list[Layer],
    models: list[str],
    sources: list[str],
) -> str:
    """Append the layers of a model whose inputs are these; the name of its output."""
    config = model["config"]
    config = {"layers": config} if isinstance(config, list) else config
    models.append(str(config.get("name", "")))
    names: dict[str, str] = {}
    counts: dict[str, int] = {}
    before = sources[0]
    entries = config["layers"]
    waiting = list(sources)
    for entry in entries:
        kind, own = entry["class_name"], entry["config"]
        name = str(entry.get("name") or own.get("name"))
        place = f"{stored}layers/{_unique(_snake(kind), counts)}"
        if kind == "InputLayer":
            before = names[name] = waiting.pop(0) if waiting else sources[0]
            continue
        inputs, numbers = _calls(entry, names) if model["class_name"] != "Sequential" else ([before], [])
        group = (top or name, name)
        if kind in _MODELS:
            before = names[name] = _add(entry, f"{prefix}{name}/", f"{place}/", group[0], layers, models, inputs)
            continue
        kind, own = _with_number(kind, own, inputs, numbers)
        before = names[name] = f"{prefix}{name}".replace(".", "_")
        layers.append(Layer(before, kind, own, inputs, f"{place}/vars", group))
    return names[_output(config)] if "output_layers" in config else before


def _with_number(
    kind: str, config: dict[str, Any], inputs: list[str], numbers: list[float]
) -> tuple[str, dict[str, Any]]:
    """x / 127.5 and its like as a layer that scales."""
    if not numbers:
        return kind, config
    if kind not in _BY_NUMBER or len(numbers) != 1 or len(inputs) != 1:
        raise Unsupported(f"the operation {kind} with numbers")
    added, inverse = _BY_NUMBER[kind]
    number = numbers[0]
    if added:
        return "Rescaling", {"scale": 1.0, "offset": -number if inverse else number}
    return "Rescaling", {"scale": 1 / number if inverse else number, "offset": 0.0}


def _calls(entry: dict[str, Any], names: dict[str, str]) -> tuple[list[str], list[float]]:
    """The names of a layer's inputs, and numbers that it is given beside them."""
    calls = entry.get("inbound_nodes") or []
    if len(calls) != 1:
        raise Unsupported(f"the layer {entry.get('name')!r}, which is called {len(calls)} times")
    call = calls[0]
    if isinstance(call, dict):
        values = list(_tensors(call.get("args")))
    else:
        values = [part[0] for part in ([call] if isinstance(call[0], str) else call)]
    numbers = [float(value) for value in values if isinstance(value, int | float)]
    return [names[value] for value in values if isinstance(value, str)], numbers


def _tensors(value: Any) -> Iterator[Any]:
    """Of the arguments of a call, the names of layers and the numbers."""
    if isinstance(value, dict):
        if value.get("class_name") != "__keras_tensor__":
            raise Unsupported(f"a call with a {value.get('class_name')!s:.40}")
        yield value["config"]["keras_history"][0]
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _tensors(part)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value


def _output(config: dict[str, Any]) -> str:
    outputs = config["output_layers"]
    first = outputs if isinstance(outputs[0], str) else outputs[0]
    if not isinstance(outputs[0], str) and len(outputs) > 1:
        raise Unsupported(f"{len(outputs)} outputs")
    return str(first[0])


def _input_shape(model: dict[str, Any]) -> tuple[Any, ...]:
    """(None, height, width, channels) of the first layer that says it."""
    config = model["config"]
    if isinstance(config, dict) and config.get("build_input_shape"):
        return tuple(config["build_input_shape"])
    for entry in config["layers"] if isinstance(config, dict) else config:
        own = entry["config"]
        shape = own.get("batch_shape") or own.get("batch_input_shape") if isinstance(own, dict) else None
        if shape:
            return tuple(shape)
        if entry["class_name"] in _MODELS:
            return _input_shape(entry)
    return ()


def _snake(name: str) -> str:
    """As Keras 3 names a layer in a file of weights."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def _unique(name: str, counts: dict[str, int]) -> str:
    counts[name] = counts.get(name, -1) + 1
    return f"{name}_{counts[name]}" if counts[name] else name
