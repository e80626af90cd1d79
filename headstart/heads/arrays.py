"""Which arrays a head consists of, by name and shape: one list for the head, its torch form and the artefact."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping

__all__ = ["BELOW", "CONTEXT", "EMBEDS", "UTILITY", "foreign_arrays", "head_arrays", "head_shapes", "missing_arrays"]

CONTEXT = ("context", "answers", "network", "design")
BELOW = (("turn", "shift"), ("unit",), ("landmarks", "gamma"), ("trees",), CONTEXT)
"""What may stand below the linear layers, see `heads.head.Head`; the names of one group come together."""
EMBEDS = "embeds"
"""Beside a context: the layers stand on what its network makes of rows."""
UTILITY = "utility"
"""Beside the layers: by what answers are decided."""
_NODE, _DESIGN = 5, 6


def head_arrays(names: Collection[str]) -> tuple[str, ...]:
    """The names that a head with these arrays must have, and all that it may have.

    Of landmarks, trees and a context only the first is named: the layers stand on one of them. A context may have
    "embeds" beside it.
    """
    layers = max(1, sum(name.startswith("weight.") for name in names))
    groups = [group for group in BELOW if group[0] in names]
    standing = [group for group in groups if group in BELOW[2:]]
    below = [name for group in groups if group not in standing[1:] for name in group]
    if standing[:1] == [CONTEXT] and EMBEDS in names:
        below.append(EMBEDS)
    below += [UTILITY] if UTILITY in names else []
    linear = [f"{part}.{layer}" for layer in range(layers) for part in ("weight", "bias")]
    return ("mean", "scale", *linear, *below)


def missing_arrays(names: Collection[str]) -> list[str]:
    """What a head with these arrays lacks, sorted."""
    return sorted(set(head_arrays(names)) - set(names))


def foreign_arrays(names: Collection[str]) -> list[str]:
    """What no head with these arrays could use, sorted."""
    return sorted(set(names) - set(head_arrays(names)))


def head_shapes(
    shapes: Mapping[str, tuple[int, ...]], width: int, outputs: int
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The shape that each array must have, from `width` features up to `outputs` logits; `shapes`: those they have."""
    if "turn" in shapes:
        yield "turn", (width, math.prod(shapes["shift"]))
        width = math.prod(shapes["shift"])
        yield "shift", (width,)
    if "unit" in shapes:
        yield "unit", (1,)
    yield from (("mean", (width,)), ("scale", (width,)))
    if "landmarks" in shapes:
        count = next(iter(shapes["landmarks"]), 1)
        yield from (("landmarks", (count, width)), ("gamma", (1,)))
        width = count
    if "trees" in shapes:
        yield "trees", (*(*shapes["trees"], 1)[:2], _NODE)
        width = next(iter(shapes["weight.0"]), 1)
    if "context" in shapes:
        count, problems = (*(*shapes["answers"], 1, 1)[:2],)
        yield from (("context", (count, width)), ("answers", (count, problems)), ("design", (_DESIGN,)))
        yield "network", (math.prod(shapes["network"]),)
        if EMBEDS in shapes:
            yield EMBEDS, (1,)
        width = next(iter(shapes["weight.0"]), 1)
    if UTILITY in shapes:
        yield UTILITY, (outputs,) * min(2, max(1, len(shapes[UTILITY])))
    layers = sum(name.startswith("weight.") for name in shapes)
    for layer in range(layers):
        out = outputs if layer == layers - 1 else math.prod(shapes[f"bias.{layer}"])
        yield from ((f"weight.{layer}", (width, out)), (f"bias.{layer}", (out,)))
        width = out
