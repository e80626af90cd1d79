"""A backbone cut after one of its layers: a smaller one, with the weights that are left and a fingerprint of its own.

Which module ends a stage is seen in one pass; which weights a layer does not need, by what its gradient reaches.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from headstart.backbones.assemble import assemble, build
from headstart.backbones.backbone import Backbone
from headstart.backbones.encoders import TextEncoder
from headstart.backbones.layer_name import POOLINGS
from headstart.backbones.layers import WHOLE, Layers, Read, first_tensor, is_channels_last, tokens_of_whole
from headstart.backbones.parts import Parts
from headstart.backbones.randomness import Undrawn, seeded
from headstart.backbones.sentence import SentenceEncoder
from headstart.backbones.sound.encoder import SoundEncoder
from headstart.errors import BackboneError
from headstart.linalg.torch_threads import one_torch_thread
from headstart.messages import nearest

__all__ = ["Layer", "layers_of", "read_of", "reading"]


class Layer(NamedTuple):
    """A stage of a backbone that can be read.

    name    of the stage; its number is its place, 0 for what stands before the first layer
    after   the module that ends it
    pools   the poolings that make sense there
    """

    name: str
    after: str
    pools: tuple[str, ...]


def layers_of(backbone: Backbone) -> tuple[Layer, ...]:
    """From the input to the output. `BackboneError` where there are none: no network, or one of a kind that has no
    tokens and no maps."""
    if backbone.module is None or backbone.preprocess is None or backbone.modality.has_columns:
        raise BackboneError(f"{backbone.name} has no layers to read: expected a network of pictures, texts or sounds")
    outputs = _outputs(backbone.module, backbone.preprocess.example())
    layers = []
    for name, prefixes in backbone.stages:
        ends = [(path, output) for path, output in outputs if f"{path}.".startswith(prefixes)]
        with_places = [end for end in ends if _places(end[1], channels_last=is_channels_last(backbone.module)) > 1]
        if with_places:
            path, output = with_places[-1]
            layers.append(Layer(name, path, _pools(backbone.module, output)))
    if not layers:
        raise BackboneError(f"{backbone.name} has no layers to read: none of its stages puts out maps or tokens")
    return tuple(layers)


def read_of(backbone: Backbone, layer: str | None, pool: str | None) -> Read:
    """The read of a layer (a number, or the name of a stage; None: the last) and a pooling (None: the backbone's own
    where it is one of texts, else mean). `BackboneError` that names those there are."""
    layers = layers_of(backbone)
    chosen = layers[-1] if layer is None else _layer(backbone, layers, layer)
    pool = pool or _own_pool(backbone.module)
    if pool not in chosen.pools:
        raise BackboneError(
            f"{backbone.name}: no pooling {pool!r} after {chosen.name}; expected {' or '.join(chosen.pools)}."
        )
    return Read(chosen.after, pool)


def reading(backbone: Backbone, reads: Sequence[Read], name: str) -> Backbone:
    """The backbone whose features are those reads, beside each other. Its weights are copied."""
    module, preprocess = deepcopy(backbone.module), backbone.preprocess
    if module is None or preprocess is None:
        raise BackboneError(f"{backbone.name} has no layers to read: expected a network of pictures, texts or sounds")
    base, dropped = backbone.spec, []
    if isinstance(module, Layers):  # of layers of layers the network itself is read
        base, dropped, of_layers = base["base"], base["without"], module
        module = _whole_again(of_layers, base)
        reads = [part for read in reads for part in (of_layers.reads if read == WHOLE else [_within(read)])]
    if WHOLE not in reads:
        dropped = _needless(Layers(deepcopy(module), reads), preprocess.example())
    spec = {"hub": "layers", "base": base, "reads": [list(read) for read in reads], "without": dropped}
    return assemble(Parts(name, spec, Layers(module, reads, dropped), preprocess, backbone.licence))


def _whole_again(layers: Layers, spec: dict[str, Any]) -> nn.Module:
    """The network that is read, with its stages as they were; what was not kept has no meaning."""
    with seeded(0), Undrawn():
        network = build(spec)
    network.load_state_dict(layers.network.state_dict(), strict=False)
    return network.eval().requires_grad_(False)


def _within(read: Read) -> Read:
    return read._replace(after=read.after.removeprefix("network."))


def _layer(backbone: Backbone, layers: tuple[Layer, ...], wanted: str) -> Layer:
    names = {layer.name: layer for layer in layers}
    if wanted in names:
        return names[wanted]
    if wanted.isdecimal() and int(wanted) < len(layers):
        return layers[int(wanted)]
    listed = ", ".join(f"{number} ({layer.name})" for number, layer in enumerate(layers))
    near = nearest(wanted, [*names, *POOLINGS])
    raise BackboneError(
        f"{backbone.name}: no layer {'and no pooling ' if not wanted.isdecimal() else ''}{wanted!r}"
        f"{f'; nearest: {near}' if near else ''}. Its layers: {listed}. Poolings: {', '.join(layers[-1].pools)}."
    )


def _own_pool(module: nn.Module | None) -> str:
    pool = str(getattr(module, "pool", "mean")) if isinstance(module, TextEncoder | SentenceEncoder) else "mean"
    return pool if pool in POOLINGS else "mean"


def _pools(module: nn.Module, output: Tensor) -> tuple[str, ...]:
    if isinstance(module, TextEncoder | SentenceEncoder):
        return POOLINGS
    if isinstance(module, SoundEncoder) and not module.of_pictures:
        return ("mean", "max", "last", "thirds")
    return ("mean", "max", "cls") if output.ndim == 3 and tokens_of_whole(module) else ("mean", "max")


def _outputs(module: nn.Module, inputs: tuple[Tensor, ...]) -> list[tuple[str, Tensor]]:
    """What each module puts out in one pass, in the order in which they end, the network itself left out."""
    ended: list[tuple[str, Tensor]] = []
    parts = [(path, part) for path, part in module.named_modules() if path]
    # In front of the hook that ends the pass, of a module that is read at a layer already.
    handles = [part.register_forward_hook(partial(_end, ended, path), prepend=True) for path, part in parts]
    try:
        with torch.inference_mode(), one_torch_thread():
            module(*inputs)
    finally:
        for handle in handles:
            handle.remove()
    return ended


def _end(ended: list[tuple[str, Tensor]], path: str, part: nn.Module, args: Any, output: Any) -> None:
    tensor = first_tensor(output)
    if tensor is not None:
        ended.append((path, tensor))


def _places(output: Tensor, *, channels_last: bool) -> int:
    """Of a map or a row of tokens; 0 where it is neither."""
    if output.ndim == 4:
        height, width = output.shape[1:3] if channels_last else output.shape[2:]
        return int(height * width)
    return int(output.shape[1]) if output.ndim == 3 else 0


def _needless(layers: Layers, inputs: tuple[Tensor, ...]) -> list[str]:
    """The modules and weights of the network that the reads do not hang on, the outermost of them."""
    layers.requires_grad_(True)
    weights = dict(layers.network.named_parameters())
    with torch.enable_grad(), one_torch_thread():
        gradients = torch.autograd.grad(layers(*inputs).sum(), list(weights.values()), allow_unused=True)
    needed = {id(value) for value, gradient in zip(weights.values(), gradients, strict=True) if gradient is not None}
    return list(_outermost(layers.network, "", needed))


def _outermost(module: nn.Module, path: str, needed: set[int]) -> list[str]:
    start = f"{path}." if path else ""
    names = [start + name for name, value in module.named_parameters(recurse=False) if id(value) not in needed]
    for name, child in module.named_children():
        held = [id(value) for value in child.parameters()]
        if held and not needed.intersection(held):
            names.append(start + name)
        else:
            names += _outermost(child, start + name, needed)
    return names
