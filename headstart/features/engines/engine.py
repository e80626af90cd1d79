"""Who runs the frozen forward pass: what an engine is, and the record of which one was used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from headstart.errors import BackboneError

__all__ = [
    "Agreement",
    "Choice",
    "Engine",
    "EngineName",
    "EngineUsed",
    "Pending",
    "Precision",
    "Rows",
    "Runner",
    "Starter",
    "Unfit",
    "checked",
]

EngineName = Literal["torch", "openvino"]
Precision = Literal["float32", "bfloat16"]
Rows = npt.NDArray[np.float32]
Runner = Callable[..., Rows]
"""Pictures: uint8 (N, H, W, 3), N one of the engine's lengths; text: ids and mask, int64 (N, L) each -> (N, dim)."""

Pending = Callable[[], Rows]
"""Waits for the features of a batch that was handed over, and gives them; to be called once."""

Starter = Callable[..., Pending]
"""Hands over a batch, as a runner takes it; pictures to a GPU also as a list of arrays (H, W, 3)."""


class Unfit(Exception):
    """This engine cannot be used for this backbone on this machine; the message says why."""


class Choice(NamedTuple):
    """An engine, how it calculates and where, and why it was chosen, in words."""

    name: EngineName
    precision: Precision
    device: str
    why: str

    def __str__(self) -> str:
        return f"{self.name} {self.precision} on {self.device}"


class Agreement(NamedTuple):
    """How far an engine's features of a probe batch are from those of torch in float32.

    cosine   the least cosine of a row
    centred  the same after subtracting the mean row: what a head sees
    error    the largest difference, as a share of the largest value
    """

    cosine: float
    centred: float
    error: float


class Engine(Protocol):
    """batch   inputs at a time where they are of one size (`fixed`); else what their lengths sum to, about, with
            padding
    lengths  how many inputs of one size a call may have, ascending, the last of them `batch`: only that, unless
             `short_batches` found that one gives the same numbers
    flight  batches that may be on their way at a time, beside the one that is handed over; 0: each is calculated by who
            hands it over"""

    batch: int
    lengths: tuple[int, ...]
    fixed: bool
    flight: int

    def lane(self) -> Runner:
        """What one thread calls, and no other."""


@dataclass(frozen=True, kw_only=True)
class EngineUsed:
    """The record of the engine: a head fitted on its features is fed by the same name and precision later."""

    name: EngineName
    precision: Precision
    device: str
    batch: int
    why: str
    agreement: Agreement | None = None

    def to_json(self) -> dict[str, Any]:
        """A JSON object: name, precision, device, batch, why, agreement (null, or cosine, centred and error)."""
        return asdict(self) | {"agreement": None if self.agreement is None else self.agreement._asdict()}


def checked(rows: npt.NDArray[Any], count: int, width: int) -> Rows:
    """The engine's output, if it has the shape that the backbone promises. `BackboneError` if not."""
    if rows.shape != (count, width):
        raise BackboneError(
            f"the network gives features of shape {rows.shape}; expected ({count}, {width}), a row an input"
        )
    return rows
