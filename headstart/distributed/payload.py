"""What travels in Flower's messages: float64 arrays and text, with heads among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from headstart.heads.head import Head
from headstart.tasks.kind import kind_named
from headstart.tasks.task import Array

if TYPE_CHECKING:
    from flwr.app import RecordDict

__all__ = ["arrays_of", "heads_from", "heads_record", "record", "text_of"]


def record(arrays: Mapping[str, Array] | None = None, texts: Mapping[str, str] | None = None) -> RecordDict:
    """The content of a message."""
    from flwr.app import Array as Travelling
    from flwr.app import ArrayRecord, ConfigRecord, RecordDict

    content = RecordDict()
    if arrays:
        content["arrays"] = ArrayRecord({name: Travelling(np.ascontiguousarray(a)) for name, a in arrays.items()})
    content["texts"] = ConfigRecord(dict(texts or {}))
    return content


def arrays_of(content: RecordDict) -> dict[str, Array]:
    """The arrays of a message; {} where there are none."""
    if "arrays" not in content.array_records:
        return {}
    return {name: array.numpy() for name, array in content.array_records["arrays"].items()}


def text_of(content: RecordDict, name: str) -> str:
    """A text of a message; "" where it is not there."""
    return str(content.config_records["texts"].get(name, "")) if "texts" in content.config_records else ""


def heads_record(heads: Sequence[Head]) -> dict[str, Array]:
    """Linear heads as arrays, one a row."""
    names = ("mean", "scale", "weight.0", "bias.0")
    arrays = {name: np.stack([head.arrays[name] for head in heads]) for name in names}
    return arrays | {"temperature": np.array([head.temperature for head in heads])}


def heads_from(arrays: Mapping[str, Array], name: str, kind: str) -> list[Head]:
    """The heads that `heads_record` gave."""
    rows = range(len(arrays["temperature"]))
    return [
        Head(
            name=name,
            kind=kind_named(kind),
            arrays={part: arrays[part][row] for part in ("mean", "scale", "weight.0", "bias.0")},
            temperature=float(arrays["temperature"][row]),
        )
        for row in rows
    ]
