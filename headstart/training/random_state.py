"""Where torch's generators stand, that of the CPU and those of GPUs which are in use: noted, and put back."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["RandomState"]


class RandomState(NamedTuple):
    """devices   by their numbers; empty where no GPU is in use"""

    cpu: Tensor
    devices: list[Tensor]

    @classmethod
    def now(cls) -> RandomState:
        """As they stand."""
        used = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
        return cls(torch.get_rng_state(), torch.cuda.get_rng_state_all() if used else [])

    def put_back(self) -> None:
        """The next numbers that are drawn are those that would have been drawn then."""
        torch.set_rng_state(self.cpu)
        if self.devices:
            torch.cuda.set_rng_state_all(self.devices)
