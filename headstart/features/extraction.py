"""How the forward pass is to be run: the settings, which are known before anything heavy is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

from headstart.checks import at_least
from headstart.features.cache.cache import Cache
from headstart.features.engines.engine import Choice
from headstart.features.engines.wish import Device, Wish
from headstart.features.held_pixels import HeldPixels

__all__ = ["Extraction"]


@dataclass(frozen=True, kw_only=True)
class Extraction:
    """How to run the forward pass. `engines/select.py` states the rule behind "auto".

    engine, precision   name both to feed a model that was fitted on them
    lanes               threads; None: one a core
    cache               where features are looked up and kept; None: nowhere
    thumbs              whether pictures get their thumbnails, too
    pixels              where prepared pictures are held for another pass over them; None: nowhere
    settled             the engine by which other processes have filled the cache; None: it is settled here
    """

    engine: Literal["auto", "torch", "openvino"] = "auto"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    device: Device = "auto"
    lanes: int | None = None
    cache: Cache | None = None
    thumbs: bool = True
    pixels: HeldPixels | None = field(default=None, compare=False, repr=False)
    settled: Choice | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        Wish(self.engine, self.precision, self.device)
        if self.lanes is not None:
            at_least("lanes", self.lanes, 1, ", or None for one a core")

    def as_fitted(self, engine: Mapping[str, Any]) -> Self:
        """By the engine and precision that a head was fitted on, as its model tells them; {}: as it is. Raises
        ValueError where that engine does not run on the device that was asked for."""
        if not engine:
            return self
        if engine["name"] == "openvino" and self.device not in ("auto", "cpu"):
            raise ValueError(
                f"device = {self.device!r}: the model was fitted on features of OpenVINO, which runs on the CPU; "
                "expected 'auto' or 'cpu'"
            )
        return replace(self, engine=engine["name"], precision=engine["precision"])
