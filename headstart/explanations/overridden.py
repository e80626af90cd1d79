"""A layer whose output is given, so that what stands above it can be asked about that output."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from torch import Tensor, nn

__all__ = ["outputs_of", "overridden"]


@contextmanager
def overridden(layer: nn.Module, output: Tensor) -> Iterator[None]:
    """While it is entered, the layer puts out this, whatever it is given."""

    def give(_: nn.Module, args: Any, own: Any) -> Tensor:
        return output

    handle = layer.register_forward_hook(give)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def outputs_of(layer: nn.Module) -> Iterator[list[Tensor]]:
    """While it is entered, what the layer puts out is added to a list."""
    outputs: list[Tensor] = []
    handle = layer.register_forward_hook(partial(_take, outputs))
    try:
        yield outputs
    finally:
        handle.remove()


def _take(outputs: list[Tensor], layer: nn.Module, args: Any, own: Tensor) -> None:
    outputs.append(own)
