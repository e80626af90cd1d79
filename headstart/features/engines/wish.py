"""Which engine is asked for, checked: known before any engine is loaded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["Device", "Wish"]

Device = str
"""Where to calculate: "auto" (a CUDA device where there is one, else the CPU), "cpu", "cuda" (the first), "cuda:1"."""

_ALLOWED = {"engine": ("auto", "torch", "openvino"), "precision": ("auto", "float32", "bfloat16")}
_DEVICE = re.compile(r"auto|cpu|cuda(:(?P<number>\d+))?")


@dataclass(frozen=True)
class Wish:
    """What was asked for, "auto" where nothing was. ValueError for what there is not, here or at all."""

    engine: Literal["auto", "torch", "openvino"] = "auto"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    device: Device = "auto"

    def __post_init__(self) -> None:
        for name, allowed in _ALLOWED.items():
            if getattr(self, name) not in allowed:
                expected = ", ".join(map(repr, allowed))
                raise ValueError(f"{name} = {getattr(self, name)!r}: expected one of {expected}")
        asked = _DEVICE.fullmatch(str(self.device))
        if asked is None:
            raise ValueError(f"device = {self.device!r}: expected 'auto', 'cpu', 'cuda' or one of several, as 'cuda:1'")
        if self.device in ("auto", "cpu"):
            return
        if self.engine == "openvino":
            raise ValueError(
                f"engine = 'openvino' runs on the CPU; with device = {self.device!r} expected 'auto' or 'torch'"
            )
        number, count = int(asked["number"] or 0), _devices()
        if number >= count:
            has = f"{count} CUDA device{'s' * (count > 1)}, from 'cuda:0'," if count else "no CUDA device"
            raise ValueError(f"device = {self.device!r}: torch finds {has} here; expected 'auto' or 'cpu'")

    @property
    def cuda(self) -> str | None:
        """The CUDA device to calculate on; None where that is the CPU."""
        if self.device == "auto":
            return "cuda" if self.engine != "openvino" and _devices() else None
        return None if self.device == "cpu" else self.device


def _devices() -> int:
    """How many CUDA devices torch can use."""
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0
