"""What turns inputs into what a network takes: the base of a preprocessing, and those that are known by name.

A preprocessing is data in the artefact (its fields, as JSON) and behaviour here. The defaults are those of inputs that
differ in length, such as texts: prepared once, batched by length, padded where they are put together.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from headstart.errors import BackboneError
from headstart.tasks.modality import Array, Modality

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "PREPROCESSES",
    "Preprocess",
    "Schema",
    "preprocess_from_json",
    "preprocess_to_json",
    "register_preprocess",
]

Schema = dict[str, tuple[Callable[[Any], bool], str]]
"""By field, whether a value from JSON can be one, and what is expected, in words."""


class Preprocess(ABC):
    """What all have in common; each is a frozen dataclass whose fields are its JSON.

    kind       its name in JSON
    modality   of the inputs
    schema     what its fields may be
    optional   fields that stand in JSON only where they are not None
    files      by field, the file of a model's folder that holds it, where it is too long for config.json (text)
    window     of pictures of more than 8 bits, the numbers that become 0 and 255; None for all others
    """

    kind: ClassVar[str]
    modality: ClassVar[Modality]
    schema: ClassVar[Schema]
    optional: ClassVar[frozenset[str]] = frozenset()
    files: ClassVar[dict[str, str]] = {}
    window: Any = None

    @property
    def shape(self) -> tuple[int, ...] | None:
        """Of every input, such as height and width; None where inputs differ in length."""
        return None

    @classmethod
    def of_fields(cls, fields: dict[str, Any]) -> Self:
        """From checked JSON."""
        return cls(**fields)

    @abstractmethod
    def prepare(self, item: Any) -> tuple[Array, int]:
        """What is held of an input (of a picture, as it was decoded) until its batch, and how much of its end is cut
        off."""

    def length(self, prepared: Array) -> int:
        """How long an input is, for batches of one length."""
        return len(prepared)

    @abstractmethod
    def collate(self, prepared: Sequence[Array]) -> tuple[Array, ...]:
        """A batch of prepared inputs (N, ...), as the network takes it or `tensors` makes it."""

    def vary(  # noqa: B027 - what nothing varies stays as it is
        self, batch: tuple[Array, ...], place: int, length: int, rng: np.random.Generator
    ) -> None:
        """Vary the input at this place of a batch, in place, without changing its answer. By default it stays."""

    def tensors(self, *batch: Tensor) -> tuple[Tensor, ...]:
        """What the module takes, from a batch on the device where it calculates."""
        return batch

    def example(self) -> tuple[Tensor, ...]:
        """What the module takes, of two inputs: to trace it."""
        return self.resized(self.largest(), 2, 8)

    @abstractmethod
    def largest(self) -> tuple[Tensor, ...]:
        """What the module takes, of one input of the largest size that the preprocessing lets through."""

    def measured(self) -> tuple[Tensor, ...]:
        """What the module takes, of the one input on which it is seen how many features there are; by default the
        largest, which shows too whether the network takes it."""
        return self.largest()

    @abstractmethod
    def probe(self) -> tuple[Array, ...]:
        """A batch of a few made-up inputs, on which engines are compared and timed."""

    def measure(self, inputs: tuple[Tensor, ...]) -> int:
        """The length of what the module takes, (N, L, ...); 0 where all inputs have one size."""
        return int(inputs[0].shape[1])

    def resized(self, inputs: tuple[Tensor, ...], rows: int, length: int) -> tuple[Tensor, ...]:
        """The first row of what the module takes so many times, again and again up to that length."""
        import torch

        first = [tensor[:1] for tensor in inputs]
        times = -(-length // first[0].shape[1])
        return tuple(torch.cat([torch.cat([tensor] * times, 1)[:, :length]] * rows) for tensor in first)

    def blank(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Inputs of the same shape for what is above a cut, which needs of them only lengths."""
        return inputs

    def note(self, inputs: Sequence[Any]) -> str:
        """What is done to some of these inputs that whoever gave them should know, in words; "" where nothing is."""
        return ""

    def described(self, inputs: str) -> str:
        """What of the inputs, called so, the backbone sees, for the card of a model."""
        return inputs

    def with_window(self, window: tuple[float, float] | None) -> Self:
        """The same with this window, where it has one."""
        return self


PREPROCESSES: dict[str, type[Preprocess]] = {}
"""By their `kind`, in the order in which they are told."""


def register_preprocess(cls: type[Preprocess]) -> type[Preprocess]:
    """Makes a preprocessing known by its kind, under which models that have it are stored and loaded."""
    PREPROCESSES[cls.kind] = cls
    return cls


def preprocess_to_json(preprocess: Preprocess | None) -> dict[str, Any] | None:
    """A JSON object with "kind" and one key a field (optional ones only where there is one, so that pictures without a
    window have the fingerprint that they had before there were windows); None for None."""
    if preprocess is None:
        return None
    dataclass: Any = preprocess
    fields = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(dataclass).items()}
    present = {key: value for key, value in fields.items() if key not in preprocess.optional or value is not None}
    return {"kind": preprocess.kind, **present}


def preprocess_from_json(value: dict[str, Any] | None) -> Preprocess | None:
    """The inverse. `BackboneError` names the first key that is missing, unknown or has a value that cannot be."""
    if value is None:
        return None
    kind = str(value.get("kind")) if isinstance(value, dict) else "None"
    if kind not in PREPROCESSES:
        raise BackboneError(f"preprocessing of kind {kind!r}: expected {' or '.join(map(repr, PREPROCESSES))}.")
    preprocess = PREPROCESSES[kind]
    schema = preprocess.schema
    fields = {key: item for key, item in value.items() if key != "kind"}
    for key in sorted(fields.keys() ^ schema.keys() - (preprocess.optional - fields.keys())):
        state = "unknown" if key in fields else "missing"
        raise BackboneError(f"preprocessing of kind {kind!r}: key {key!r} is {state}; expected {', '.join(schema)}.")
    for key, (valid, expected) in schema.items():
        if key in fields and not valid(fields[key]):
            raise BackboneError(f"preprocessing: {key} = {str(fields[key])[:80]!r}; expected {expected}.")
    return preprocess.of_fields(fields)
