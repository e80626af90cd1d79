"""A converted graph, used again for a network of the same architecture with other weights.

Converting traces the network and reads the trace node by node in Python: .4 s for EfficientNet-Lite0. The control of a
comparison is the same network from random weights, and its graph is the same but for the constants that hold these.
Constants are told by their content: a graph is used again only where each tensor that differs is one of them.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from blake3 import blake3
from torch import Tensor, nn

from headstart.backbones.backbone import Backbone
from headstart.preprocessing.preprocess import Preprocess

__all__ = ["keep_graph", "refilled"]

_COUNTER = "num_batches_tracked"
_FEW = 4
"""Numbers of a tensor that a constant of another origin might equal by chance; as it might one of equal numbers."""

Content = tuple[int, bytes]
"""How many bytes, and their hash."""


class _Graph(NamedTuple):
    """What a backbone was converted to, and from."""

    what: tuple[str, Preprocess | None]
    model: Any


_graphs: defaultdict[int, WeakKeyDictionary[nn.Module, _Graph]] = defaultdict(WeakKeyDictionary)
"""By process, as long as the network is."""


def keep_graph(backbone: Backbone, model: Any) -> None:
    """Keep an OpenVINO model, which is not changed any more, for `refilled`."""
    if backbone.module is not None:
        _graphs[os.getpid()][backbone.module] = _Graph(_what(backbone), model)


def refilled(backbone: Backbone, openvino: Any) -> Any | None:
    """A model that was kept, with this backbone's weights in it; None where there is none of its architecture and
    preprocessing, and where it cannot be told which constant is which tensor."""
    for module, graph in list(_graphs[os.getpid()].items()):
        if backbone.module is not None and type(module) is type(backbone.module) and graph.what == _what(backbone):
            places = _places(module, backbone.module)
            model = None if places is None else _filled(graph.model, places, openvino)
            if model is not None:
                return model
    return None


def _places(before: nn.Module, after: nn.Module) -> dict[Content, Tensor] | None:
    """By the content of each tensor of a network that differs in the other, what it is there; None where two are alike
    before and not after, or one is too plain to be told."""
    old, new = _tensors(before), _tensors(after)
    if {name: tensor.shape for name, tensor in old.items()} != {name: tensor.shape for name, tensor in new.items()}:
        return None
    places: dict[Content, Tensor] = {}
    alike: set[Content] = set()
    for name, tensor in old.items():
        content, other = _content(tensor.numpy()), _content(new[name].numpy())
        if content == other:
            alike.add(content)
        elif _plain(tensor) or _content(places.setdefault(content, new[name]).numpy()) != other:
            return None
    return None if alike & places.keys() else places


def _filled(original: Any, places: dict[Content, Tensor], openvino: Any) -> Any | None:
    """The graph with these tensors in place of its constants of that content; None where one is not among them."""
    model, used = original.clone(), set()
    sizes = {size for size, _ in places}
    for node in model.get_ops():
        if node.get_type_name() != "Constant" or node.get_byte_size() not in sizes:
            continue
        array = node.data
        content = _content(array)
        if content in places:
            used.add(content)
            constant = openvino.op.Constant(places[content].numpy().reshape(array.shape), shared_memory=True)
            for place in node.output(0).get_target_inputs():
                place.replace_source_output(constant.output(0))
    return model if used == places.keys() else None


def _plain(tensor: Tensor) -> bool:
    return tensor.numel() < _FEW or bool((tensor == tensor.flatten()[0]).all())


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers, but for the counters of batch norms, which do not calculate."""
    state: dict[str, Tensor] = module.state_dict()
    return {name: tensor.detach() for name, tensor in state.items() if not name.endswith(_COUNTER)}


def _content(array: Any) -> Content:
    return array.nbytes, blake3(array.tobytes()).digest()


def _what(backbone: Backbone) -> tuple[str, Preprocess | None]:
    return json.dumps(backbone.spec, sort_keys=True, default=str), backbone.preprocess
