"""The stages of a network, from the input to the output, as prefixes of its parameters' names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

__all__ = ["Stages", "stages_of"]

_CHAINS = (nn.ModuleList, nn.Sequential)

Stages = tuple[tuple[str, tuple[str, ...]], ...]


def stages_of(module: nn.Module) -> Stages:
    """(name, prefixes) for each stage, lowest first; together they name each parameter exactly once.

    The network's own grouping (`parameter_groups`), or timm's coarse one, where it has one; otherwise what stands
    before the longest chain of layers, each layer, and what stands after it. A network without layers is one stage. A
    norm that stands alone belongs to the stage before it.
    """
    names = [name for name, _ in module.named_parameters()]
    matrices = {name for name, weights in module.named_parameters() if weights.ndim > 1}
    groups: list[list[str]] = []
    for group in _own_groups(module) or _layer_groups(module, names):
        if groups and not matrices.intersection(group):
            groups[-1].extend(group)
        else:
            groups.append(group)
    users: dict[str, set[int]] = {}
    for index, group in enumerate(groups):
        for prefix in (prefix for name in group for prefix in _prefixes(name)):
            users.setdefault(prefix, set()).add(index)
    stages = []
    for group in groups:
        prefixes = tuple(dict.fromkeys(next(p for p in _prefixes(name) if len(users[p]) == 1) for name in group))
        stages.append((prefixes[0].rstrip(".") or "all", prefixes))
    return tuple(stages)


def _own_groups(module: nn.Module) -> list[list[str]]:
    own: Any = getattr(module, "parameter_groups", None)
    if own is not None:
        groups_of_names: list[list[str]] = own()
        return groups_of_names
    matcher: Any = getattr(module, "group_matcher", None)
    if matcher is None:
        return []
    from timm.models import group_parameters

    try:
        groups = group_parameters(module, matcher(coarse=True))
    except AssertionError:  # timm's way of saying that this network has no coarse grouping
        return []
    return [list(groups[ordinal]) for ordinal in sorted(groups)]


def _layer_groups(module: nn.Module, names: Sequence[str]) -> list[list[str]]:
    chains = [(path, _layers(child)) for path, child in module.named_modules() if isinstance(child, _CHAINS)]
    chains = [(path, length) for path, length in chains if length > 1]
    if not chains:
        return [list(names)] if names else []
    outermost = min(_depth(path) for path, _ in chains)
    path = max((chain for chain in chains if _depth(chain[0]) == outermost), key=lambda chain: chain[1])[0]
    start = f"{path}." if path else ""
    layers: dict[str, list[str]] = {}
    before: list[str] = []
    after: list[str] = []
    for name in names:
        if name.startswith(start):
            layers.setdefault(name.removeprefix(start).split(".")[0], []).append(name)
        else:
            (after if layers else before).append(name)
    return [group for group in (before, *layers.values(), after) if group]


def _layers(chain: nn.Module) -> int:
    return sum(any(True for _ in layer.parameters()) for layer in chain.children())


def _depth(path: str) -> int:
    return len(path.split(".")) if path else 0


def _prefixes(name: str) -> list[str]:
    """From the shortest to the whole: "a.b.c" -> "", "a.", "a.b.", "a.b.c"."""
    parts = name.split(".")
    return ["", *(".".join(parts[:depth]) + "." for depth in range(1, len(parts))), name]
