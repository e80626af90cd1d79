"""Taps: what modules of a network put out in its last pass, read beside the pass itself."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from torch import Tensor, nn

__all__ = ["Taps"]


class Taps:
    """What the modules at these places put out in the last pass, in the order of the places."""

    def __init__(self, backbone: nn.Module, places: Sequence[str]) -> None:
        self._maps: dict[str, Tensor] = {}
        self._places = places
        self._handles = [
            backbone.get_submodule(place).register_forward_hook(partial(_keep, self._maps, place), prepend=True)
            for place in places
        ]

    def taken(self) -> list[Tensor]:
        """The outputs, which are then let go."""
        return [self._maps.pop(place) for place in self._places if place in self._maps]

    def close(self) -> None:
        """Leave the network as it was."""
        for handle in self._handles:
            handle.remove()


def _keep(maps: dict[str, Tensor], place: str, module: nn.Module, args: Any, output: Any) -> None:
    first = output[0] if isinstance(output, tuple) else output
    if isinstance(first, Tensor):
        maps[place] = first
