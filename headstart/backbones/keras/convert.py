"""From the configuration of a Keras model to the spec of a network of torch, and from its arrays to tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from headstart.backbones.keras.arrays import tensors_of
from headstart.backbones.keras.flatten import Flat, Layer
from headstart.backbones.keras.graph import Node, nodes_of, staged
from headstart.backbones.keras.kinds import KINDS, Shape, Unsupported
from headstart.errors import BackboneError
from headstart.messages import nearest
from headstart.tasks.task import Array

__all__ = ["POOLINGS", "Converted", "convert", "tensors"]

POOLINGS = {"avg": "GlobalAveragePooling2D", "max": "GlobalMaxPooling2D", "flatten": "Flatten"}
"""How a map becomes one row."""

_AT_THE_END = ("Activation", "Softmax", "Dropout")


class Converted(NamedTuple):
    """The spec of a network, and its layers with weights in the order of Keras."""

    spec: dict[str, Any]
    layers: list[Layer]


def convert(flat: Flat, size: tuple[int, int], *, pooling: str, flip: bool) -> Converted:
    """The network without its classifier, if it ends in one.

    size      height and width of what it sees
    pooling   of `POOLINGS`: how a map becomes one row, where it ends in a map
    flip      whether it takes blue, green and red

    `Unsupported` names a layer that is not known here.
    """
    layers = _needed(flat.layers, _without_classifier(flat))
    if flip:
        layers = [Layer("bgr", "BGR", {}, [""], "", ("", "")), *map(_behind_flip, layers)]
    nodes, shapes = _shaped(layers, size)
    last = nodes[-1].name
    if len(shapes[last]) == 3:
        nodes.append(Node("pooling", POOLINGS[pooling], {} if pooling == "flatten" else {"keep": False}, [last]))
        shapes["pooling"] = (0,)
    sizes = [shapes[node.name][1] * shapes[node.name][2] if len(shapes[node.name]) == 3 else 1 for node in nodes]
    weighted = [KINDS[node.kind].weights is not None and node.kind != "Normalization" for node in nodes]
    spec = {"hub": "keras", "stages": staged(nodes, sizes, weighted)}
    return Converted(spec, [layer for layer in layers if KINDS[layer.kind].weights is not None])


def tensors(converted: Converted, arrays: Mapping[str, Sequence[Array]], where: str) -> dict[str, Tensor]:
    """The tensors of the network, by name, from the arrays of each layer. `BackboneError` where they do not fit."""
    weights: dict[str, Tensor] = {}
    for path, node in nodes_of(converted.spec):
        of = KINDS[node.kind].weights
        if of is None:
            continue
        try:
            named = tensors_of(of(node.options, arrays.get(node.name, ())))
        except (ValueError, TypeError, IndexError) as error:
            shapes = [tuple(array.shape) for array in arrays.get(node.name, ())]
            raise BackboneError(
                f"{where}: layer {node.name!r} ({node.kind}) has arrays of the shapes {shapes or 'none'}: the weights "
                "are those of another network."
            ) from error
        weights |= {f"{path}.{name}": tensor for name, tensor in named.items()}
    return weights


def _without_classifier(flat: Flat) -> str:
    """The name of the layer whose output is the features: what the last dense layer gets."""
    by_name = {layer.name: layer for layer in flat.layers}
    name = _past(flat.output, by_name)
    last = by_name[name]
    if last.kind == "Dense" and last.inputs[0] in by_name:
        return _past(last.inputs[0], by_name)
    return flat.output


def _past(name: str, by_name: dict[str, Layer]) -> str:
    """What stands before layers that have no weights and only vary or scale what is put out."""
    while by_name[name].kind in _AT_THE_END and by_name[name].inputs[0] in by_name:
        name = by_name[name].inputs[0]
    return name


def _needed(layers: Sequence[Layer], output: str) -> list[Layer]:
    needed = {output}
    for layer in reversed(layers):
        if layer.name in needed:
            needed |= set(layer.inputs)
    kept = [layer for layer in layers if layer.name in needed]
    order = {layer.name: place for place, layer in enumerate(kept)}
    if any(order.get(name, -1) >= place for place, layer in enumerate(kept) for name in layer.inputs):
        raise Unsupported("a circle of layers")
    return sorted(kept, key=lambda layer: layer.name == output)


def _behind_flip(layer: Layer) -> Layer:
    return layer._replace(inputs=[name or "bgr" for name in layer.inputs])


def _shaped(layers: Sequence[Layer], size: tuple[int, int]) -> tuple[list[Node], dict[str, Shape]]:
    """The nodes, and the shape of what each puts out, found without calculating anything."""
    shapes: dict[str, Shape] = {"": (3, *size)}
    nodes = []
    for layer in layers:
        if layer.name in shapes:
            raise Unsupported(f"two layers named {layer.name!r}")
        if layer.kind not in KINDS:
            near = nearest(layer.kind, KINDS)
            hint = f" (nearest: {near})" if near else ""
            raise Unsupported(f"the layer {layer.name!r} of the kind {layer.kind}{hint}, whose code is not run")
        kind = KINDS[layer.kind]
        inputs = [shapes[name] for name in layer.inputs]
        try:
            options = kind.options(layer.config, inputs)
            with torch.device("meta"), torch.inference_mode():
                output = kind.build(options).eval()(*(torch.zeros(2, *shape) for shape in inputs))
        except Unsupported as error:
            raise Unsupported(f"the layer {layer.name!r} ({layer.kind}) with {error}") from error
        except (KeyError, TypeError, ValueError, RuntimeError, IndexError) as error:
            raise Unsupported(f"the layer {layer.name!r} ({layer.kind}) on inputs {inputs}: {error}") from error
        shapes[layer.name] = tuple(int(length) for length in output.shape[1:])
        nodes.append(Node(layer.name, layer.kind, options, list(layer.inputs)))
    return nodes, shapes
