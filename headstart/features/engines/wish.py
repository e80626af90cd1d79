"""Which engine is asked for, checked: known before any engine is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Wish"]

_ALLOWED = {
    "engine": ("auto", "torch", "openvino"),
    "precision": ("auto", "float32", "bfloat16"),
    "device": ("auto", "cpu", "cuda"),
}


@dataclass(frozen=True)
class Wish:
    """What was asked for, "auto" where nothing was."""

    engine: Literal["auto", "torch", "openvino"] = "auto"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"

    def __post_init__(self) -> None:
        for name, allowed in _ALLOWED.items():
            if getattr(self, name) not in allowed:
                expected = ", ".join(map(repr, allowed))
                raise ValueError(f"{name} = {getattr(self, name)!r}: expected one of {expected}")
        if self.device == "cuda" and not _cuda():
            raise ValueError("device = 'cuda': torch finds no CUDA device here; expected 'auto' or 'cpu'")
        if self.device == "cuda" and self.engine == "openvino":
            raise ValueError("engine = 'openvino' runs on the CPU; with device = 'cuda' expected 'auto' or 'torch'")


def _cuda() -> bool:
    import torch

    return torch.cuda.is_available()
