"""What a GPU has calculated, read only when it is asked for: waiting for it after every step would leave it idle."""

from __future__ import annotations

from typing import SupportsFloat

import torch
from torch import Tensor

__all__ = ["LateFigure"]


class LateFigure(SupportsFloat):
    """A number on a GPU, on its way here; `float` waits for it."""

    def __init__(self, value: Tensor) -> None:
        self._here = torch.empty((), dtype=value.dtype, pin_memory=True)
        self._here.copy_(value, non_blocking=True)
        self._done = torch.cuda.Event()  # type: ignore[no-untyped-call]
        self._done.record(torch.cuda.current_stream(value.device))

    def __float__(self) -> float:
        self._done.synchronize()
        return float(self._here)
