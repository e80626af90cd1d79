"""A network of Keras as a row of stages, each of which hands one tensor on to the next.

A stage ends where one tensor is all that what follows depends on, and what follows begins to make the map smaller.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from torch import Tensor, nn

from headstart.backbones.keras.kinds import KINDS
from headstart.errors import BackboneError

__all__ = ["KEYS", "Node", "Stage", "build", "nodes_of", "staged"]

KEYS = ("stages",)
INPUT = ""
"""The name of what comes in, to a network as to a stage."""


class Node(NamedTuple):
    """A layer where it is called.

    name      of the layer       kind      of `KINDS`
    options   what `Kind.build` takes
    inputs    the names of the nodes whose outputs it gets
    """

    name: str
    kind: str
    options: dict[str, Any]
    inputs: list[str]


class Stage(nn.Module):
    """Nodes in the order in which they are calculated: (N, C, H, W) -> (N, C', H', W') or (N, D)."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        super().__init__()
        for node in nodes:
            self.add_module(node.name, KINDS[node.kind].build(node.options))
        self.order = [(node.name, tuple(node.inputs)) for node in nodes]
        users = [name for node in nodes for name in set(node.inputs)]
        self.uses = {name: users.count(name) for name in users}

    def forward(self, x: Tensor) -> Tensor:
        outputs = {INPUT: x}
        left = dict(self.uses)
        for name, inputs in self.order:
            x = self.get_submodule(name)(*(outputs[source] for source in inputs))
            outputs[name] = x
            for source in set(inputs):
                left[source] -= 1
                if not left[source]:
                    del outputs[source]
        return x


def build(spec: dict[str, Any]) -> nn.Module:
    """The network of {"hub": "keras", "stages": [[[name, kind, options, inputs], ...], ...]}."""
    network = nn.Sequential()
    for number, nodes in enumerate(spec["stages"]):
        unknown = sorted({node[1] for node in nodes} - KINDS.keys())
        if unknown:
            raise BackboneError(f"the stored network has layers {', '.join(unknown)}: not known to this version.")
        network.add_module(f"stage{number + 1}", Stage([Node(*node) for node in nodes]))
    return network


def nodes_of(spec: dict[str, Any]) -> list[tuple[str, Node]]:
    """Each node, behind the path of its module in the network of a spec."""
    return [
        (f"stage{number + 1}.{node[0]}", Node(*node)) for number, nodes in enumerate(spec["stages"]) for node in nodes
    ]


def staged(nodes: Sequence[Node], sizes: Sequence[int], weighted: Sequence[bool]) -> list[list[list[Any]]]:
    """The nodes by stage, in JSON.

    sizes      places of the map that each node puts out; 1 where it is none
    weighted   whether each node has weights
    """
    ends = _narrow(nodes)
    parts = [range(a + 1, b + 1) for a, b in zip([-1, *ends[:-1]], ends, strict=True)]
    stages: list[list[int]] = [[]]
    for part, before in zip(parts, [0, *(sizes[end] for end in ends[:-1])], strict=True):
        smaller = bool(before) and sizes[part[-1]] < before
        learns = any(weighted[place] for place in part)
        if smaller and learns and any(weighted[place] for place in stages[-1]):
            stages.append([])
        stages[-1].extend(part)
        if smaller and not learns and any(weighted[place] for place in stages[-1]):
            stages.append([])
    if not any(weighted[place] for place in stages[-1]) and len(stages) > 1:
        stages[-2].extend(stages.pop())
    return [[list(_within(nodes[place], stage, nodes)) for place in stage] for stage in stages]


def _narrow(nodes: Sequence[Node]) -> list[int]:
    """The places after which all that follows depends on that one output alone."""
    last = {name: place for place, node in enumerate(nodes) for name in node.inputs}
    reach, ends = last[INPUT], []
    for place, node in enumerate(nodes):
        if reach <= place:
            ends.append(place)
        reach = max(reach, last.get(node.name, place))
    return ends


def _within(node: Node, stage: Sequence[int], nodes: Sequence[Node]) -> Node:
    names = {nodes[place].name for place in stage}
    return node._replace(inputs=[name if name in names else INPUT for name in node.inputs])
